"""Finding samples of a problem: a query as it stands in the address of a page, applied to a table of samples."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.errors import UserError

ROWS_PER_PAGE = 100
_MAX_PATTERN = 1_000
_SORTED_BY = ("index", "verdict", "answer", "tokens", "logprob", "score", "cpu_s")
_RANGES = ("index", "tokens", "score")
NOT_GRADED = "none"


@dataclass(frozen=True, slots=True)
class Query:
    """Which samples of a problem are listed, and in which order. Empty text means any; `NOT_GRADED` is the verdict of
    those without one. `text` is a part of the sample's text, or, where `regex`, a regular expression (RE2's, which
    takes linear time). Ranges include both ends."""

    verdict: str = ""
    answer: str = ""
    text: str = ""
    regex: bool = False
    index_from: float | None = None
    index_to: float | None = None
    tokens_from: float | None = None
    tokens_to: float | None = None
    score_from: float | None = None
    score_to: float | None = None
    sort: str = "index"
    descending: bool = False
    page: int = 1

    @property
    def is_filter(self) -> bool:
        """Whether it may leave samples out."""
        return replace(self, sort="index", descending=False, page=1) != Query()

    def address(self, **changes: Any) -> str:
        """The query with some changes as the part of an address after the question mark: what differs from the
        default."""
        changed = asdict(replace(self, **({"page": 1} | changes)))
        kept = {each.name: changed[each.name] for each in fields(self) if changed[each.name] != each.default}
        return urlencode({name: _as_text(value) for name, value in kept.items()})


def parse_query(parameters: Mapping[str, str]) -> Query:
    """The query in the parameters of an address; others are ignored.

    Raises:
        UserError: a parameter has no value of its kind.
    """
    values: dict[str, Any] = {}
    for each in fields(Query):
        given = parameters.get(each.name, "").strip() if each.name != "text" else parameters.get("text", "")
        if given:
            values[each.name] = _parsed(each.name, given)
    found = Query(**values)
    if found.sort not in _SORTED_BY:
        raise UserError(f"sort: samples cannot be sorted by {found.sort!r}; choose from {', '.join(_SORTED_BY)}")
    if len(found.text) > _MAX_PATTERN:
        raise UserError(f"text: at most {_MAX_PATTERN:,} characters can be looked for")
    return found


def _parsed(name: str, given: str) -> Any:
    if name in ("regex", "descending"):
        return given not in ("0", "false")
    if name == "page":
        return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 9 else 1
    if not name.endswith(("_from", "_to")):
        return given
    try:
        number = float(given)
    except ValueError:
        number = float("nan")
    if math.isnan(number):
        raise UserError(f"{name}: {given!r} is not a number")
    return number


def number_as_text(value: float | None) -> str:
    """A number as it stands in an address and in a field, which `parse_query` reads as the same number."""
    if value is None:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _as_text(value: Any) -> str:
    return "1" if value is True else number_as_text(value) if isinstance(value, float) else str(value)


def find_samples(query: Query, samples: pa.Table, texts: Iterator[pa.ChunkedArray]) -> pa.Table:
    """The rows that a query asks for, in its order. `texts` are read only if it looks for a text.

    Raises:
        UserError: its regular expression is not one.
    """
    wanted = np.ones(samples.num_rows, dtype=bool)
    if query.verdict:
        column = samples["verdict"]
        wanted &= _mask(pc.is_null(column) if query.verdict == NOT_GRADED else pc.equal(column, query.verdict))
    if query.answer:
        wanted &= _mask(pc.equal(samples["answer"], query.answer))
    for name in _RANGES:
        low, high = getattr(query, f"{name}_from"), getattr(query, f"{name}_to")
        if low is not None:
            wanted &= _mask(pc.greater_equal(samples[name].cast(pa.float64()), low))
        if high is not None:
            wanted &= _mask(pc.less_equal(samples[name].cast(pa.float64()), high))
    if query.text:
        wanted &= np.concatenate([_having(query, part) for part in texts])
    found = samples.filter(pa.array(wanted))
    order = "descending" if query.descending else "ascending"
    keys = [(query.sort, order)] + ([] if query.sort == "index" else [("index", "ascending")])
    return found.take(pc.sort_indices(found, sort_keys=keys))


def _having(query: Query, texts: pa.ChunkedArray) -> Any:
    try:
        return _mask(
            pc.match_substring_regex(texts, query.text)
            if query.regex
            else pc.match_substring(texts, query.text, ignore_case=True)
        )
    except pa.ArrowInvalid as error:
        reason = str(error).rpartition("regular expression: ")[2] or "it cannot be read"
        raise UserError(f"text: {query.text!r} is not a regular expression ({reason})") from error


def _mask(column: Any) -> Any:
    return pc.fill_null(column, False).to_numpy(zero_copy_only=False)
