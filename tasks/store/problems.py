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
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.records import Problem
from tasks.store import Store
from tasks.store.documents import json_object
from tasks.store.identity import as_published, canonical
from tasks.store.parquet import METADATA, QUICK_LEVEL, Column, Footer, Layout
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
    Footer,
)


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
    about = json.dumps({"schema": str(SCHEMA), "key": key}).encode()
    schema = pa.schema([pa.field(each.name, each.type, nullable=each.nullable) for each in LAYOUT.columns])
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        schema.with_metadata({METADATA: about}),
        compression="zstd",
        compression_level=QUICK_LEVEL,
        use_dictionary=False,
        write_page_checksum=True,
    ) as writer:
        for group in _groups(problems):
            writer.write_table(LAYOUT.to_table(group), row_group_size=len(group))
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


def read_problem(store: Store, samples: str, position: int) -> StoredProblem | None:
    """The problem at a position of the dataset, reading those stored with it and no others; None where the set does not
    have its problems.

    Raises:
        CorruptObjectError: the object is torn, damaged, or not what its key says.
        NewerSchemaError: written by a newer version.
    """
    key = problems_key(samples)
    try:
        with store.open(key) as file:
            opened = LAYOUT.open(file, key)
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
    """All problems of a set in order, some at a time.

    Raises:
        FileNotFoundError: the set does not have them.
        CorruptObjectError, NewerSchemaError: as `read_problem` does.
    """
    key = problems_key(samples)
    with store.open(key) as file:
        opened = LAYOUT.open(file, key)
        first = 0
        for number in range(opened.parquet.metadata.num_row_groups):
            problems = LAYOUT.to_records(opened.read(group=number), key)
            yield ProblemsAt(first, problems)
            first += len(problems)


def fault_in_problems(store: Store, samples: str, problems: Iterable[StoredProblem]) -> str | None:
    """What is wrong with the stored problems of a set, which should be these; None where nothing is. Raises
    FileNotFoundError and NewerSchemaError as `read_problems` does."""
    try:
        stored = (each for _, some in read_problems(store, samples) for each in some)
        differ = any(one != other for one, other in zip_longest(stored, problems))
    except CorruptObjectError as error:
        return error.reason
    return "its problems are not those that the set is named by" if differ else None


def stored_problems(problems: Iterable[Problem], prompt_of: Callable[[Problem], str] | None) -> Iterator[StoredProblem]:
    """The problems of a dataset as they are stored; without `prompt_of`, nothing is sent for them."""
    return (stored_problem(each, None if prompt_of is None else prompt_of(each)) for each in problems)
