"""The problems of a set of samples: what was asked, the prompt as it was sent, and what decides whether a sample is
correct. They are kept for people; nothing is drawn or graded from them.

One object, `samples/SET/problems.parquet`, holds every problem of the dataset in order, whatever a sweep selects. It
follows from what the set is named by: the problems as their dataset publishes them, the template and the chat template.
So any two writers write the same, and an extension of the sweep leaves it as it is. Sets that an older version drew
lack it until their sweep runs again. A large check, such as hundreds of tests, is shortened.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.records import Problem
from tasks.store import Store
from tasks.store.documents import json_object
from tasks.store.footer_fields import Count
from tasks.store.identity import as_published, canonical
from tasks.store.parquet import METADATA, QUICK_LEVEL, Column, Footer, Layout, OpenBlock
from tasks.store.schema import SCHEMA, CorruptObjectError

_NAME = "problems.parquet"
_GROUP_BYTES = 256 << 10
"""Text of the problems that are read together: one is shown without fetching many others."""

_MAX_CHECK = 32 << 10
_MAX_STRING, _MAX_LIST = 2_000, 8 << 10
"""Characters of a check's JSON, and of the strings and lists in one that is longer."""


@dataclass(frozen=True, slots=True)
class StoredProblem:
    """A problem as its dataset publishes it. `prompt` is what the engine was sent for it; None where nothing was sent.

    `check` is the canonical form of the problem's check (`tasks.store.identity`): its fields, and its `kind`. Where it
    is shortened, `shortened` has the whole size of each field that was cut: entries of a list, or characters.
    """

    problem_id: str
    question: str
    check: Mapping[str, Any] | None
    prompt: str | None
    shortened: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ProblemsFooter(Footer):
    """What the object says about itself: how many problems it has."""

    problems: Count


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _encoded(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else _dumps(value)


def _decoded(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json_object(text.encode())


def _decoded_sizes(text: str | None) -> dict[str, int] | None:
    found = _decoded(text)
    if found is not None and not all(type(size) is int for size in found.values()):
        raise ValueError("a size is not a whole number")
    return found


LAYOUT = Layout(
    StoredProblem,
    (
        Column("problem_id", pa.string()),
        Column("question", pa.string()),
        Column("check", pa.string(), nullable=True, encode=_encoded, decode=_decoded),
        Column("prompt", pa.string(), nullable=True),
        Column("shortened", pa.string(), nullable=True, encode=_encoded, decode=_decoded_sizes),
    ),
    ProblemsFooter,
)
_SCHEMA = pa.schema([pa.field(each.name, each.type, nullable=each.nullable) for each in LAYOUT.columns])


def problems_key(samples: str) -> str:
    """The key of the problems of the set with this name."""
    return f"samples/{samples}/{_NAME}"


def stored_problem(problem: Problem, prompt: str | None) -> StoredProblem:
    """A problem as it is stored, without corrections, which belong to verdicts."""
    check = as_published(problem).check
    if check is None:
        return StoredProblem(problem.id, problem.question, None, prompt)
    whole: dict[str, Any] = canonical(check)
    if len(_dumps(whole)) <= _MAX_CHECK:
        return StoredProblem(problem.id, problem.question, whole, prompt)
    sizes: dict[str, int] = {}
    cut = {name: _shortened(value, name, sizes) for name, value in whole.items()}
    return StoredProblem(problem.id, problem.question, cut, prompt, sizes)


def _shortened(value: Any, name: str, sizes: dict[str, int]) -> Any:
    """A value of a check with what is too long of it left out; adds the size of what was cut."""
    if isinstance(value, str):
        if len(value) > _MAX_STRING:
            sizes.setdefault(name, len(value))
        return value[:_MAX_STRING]
    if isinstance(value, dict):
        return {key: _shortened(each, f"{name}.{key}", sizes) for key, each in value.items()}
    if isinstance(value, list):
        kept, room = [], _MAX_LIST
        for each in value:
            short = _shortened(each, name, sizes)
            room -= len(_dumps(short))
            if room < 0:
                break
            kept.append(short)
        if len(kept) < len(value):
            sizes[name] = len(value)
        return kept
    return value


def write_problems(problems: Iterable[StoredProblem], key: str) -> bytes:
    """All problems of a dataset, in order, as an object. Only the compressed bytes are held, and one row group."""
    sink = io.BytesIO()
    written = 0
    with pq.ParquetWriter(
        sink, _SCHEMA, compression="zstd", compression_level=QUICK_LEVEL, use_dictionary=False, write_page_checksum=True
    ) as writer:
        for group in _groups(problems):
            table = LAYOUT.to_table(group)
            writer.write_table(table, row_group_size=len(group))
            written += len(group)
        about = {"schema": str(SCHEMA), "key": key, **asdict(ProblemsFooter(written))}
        writer.add_key_value_metadata({METADATA.decode(): json.dumps(about)})
    return sink.getvalue()


def _groups(problems: Iterable[StoredProblem]) -> Iterator[list[StoredProblem]]:
    group: list[StoredProblem] = []
    size = 0
    for each in problems:
        group.append(each)
        size += len(each.question) + len(each.prompt or "") + (_MAX_CHECK if each.shortened else 200)
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def problems_footer(file: BinaryIO, key: str) -> ProblemsFooter:
    """What the object says about itself; reads the footer only.

    Raises:
        CorruptObjectError: torn, damaged, or not what its key says.
        NewerSchemaError: written by a newer version.
    """
    return _open(file, key).footer


def _open(file: BinaryIO, key: str) -> OpenBlock[ProblemsFooter]:
    opened = LAYOUT.open(file, key)
    if opened.parquet.metadata.num_rows != opened.footer.problems:
        raise CorruptObjectError(key, f"it does not hold the {opened.footer.problems} problems that it names")
    return opened


def read_problem(store: Store, samples: str, position: int) -> StoredProblem | None:
    """The problem at a position of the dataset, reading those stored with it and no others; None where the set does not
    have its problems.

    Raises:
        CorruptObjectError, NewerSchemaError: as `problems_footer` does.
    """
    key = problems_key(samples)
    try:
        with store.open(key) as file:
            opened = _open(file, key)
            first = 0
            for number in range(opened.parquet.metadata.num_row_groups):
                rows = opened.parquet.metadata.row_group(number).num_rows
                if first <= position < first + rows:
                    return LAYOUT.to_records(opened.read(group=number).slice(position - first, 1), key)[0]
                first += rows
    except FileNotFoundError:
        return None
    return None


class ProblemsAt(NamedTuple):
    """Problems from a position of their dataset on."""

    first: int
    problems: list[StoredProblem]


def read_problems(store: Store, samples: str) -> Iterator[ProblemsAt]:
    """All problems of a set in order, some at a time; none where the set does not have them. Raises as `read_problem`
    does."""
    key = problems_key(samples)
    try:
        with store.open(key) as file:
            opened = _open(file, key)
            first = 0
            for number in range(opened.parquet.metadata.num_row_groups):
                problems = LAYOUT.to_records(opened.read(group=number), key)
                yield ProblemsAt(first, problems)
                first += len(problems)
    except FileNotFoundError:
        return


def stored_problems(problems: Iterable[Problem], prompt_of: Callable[[Problem], str] | None) -> Iterator[StoredProblem]:
    """The problems of a dataset as they are stored; without `prompt_of`, nothing is sent for them."""
    return (stored_problem(each, None if prompt_of is None else prompt_of(each)) for each in problems)
