"""What an engine returns is checked against what was requested, in lists and in columns alike."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from tasks.engines.checked import CheckedEngine
from tasks.errors import EngineFailedError
from tasks.records import Request, Sample, Sampling
from tasks.store.sample_columns import SampleColumns
from tests.nothing_to_close import NothingToClose

SAMPLING = Sampling(1.0, 1.0, 10, (), 0)
REQUESTS = [Request("a", "?", 0, 3), Request("b", "?", 5, 7), Request("a", "?", 10, 11)]
ALL = [("b", 6), ("a", 2), ("a", 0), ("a", 1), ("b", 5), ("a", 10)]

Form = Callable[[list[Sample]], Sequence[Sample]]


class InBatches(NothingToClose):
    """Yields samples with these names, three at a time."""

    version, deterministic, max_concurrent_calls = "batches 1", True, 1

    def __init__(self, names: Sequence[tuple[str, int]], form: Form) -> None:
        self.names = names
        self.form = form

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
        for start in range(0, len(self.names), 3):
            yield self.form([Sample(problem_id, index, "x") for problem_id, index in self.names[start : start + 3]])


def drawn(names: Sequence[tuple[str, int]], form: Form) -> list[tuple[str, int]]:
    engine = CheckedEngine(InBatches(names, form), "test")
    return [(each.problem_id, each.index) for batch in engine.sample(REQUESTS, SAMPLING) for each in batch]


@pytest.mark.parametrize("form", [list, SampleColumns.of])
def test_what_was_requested_passes_in_the_order_in_which_it_came(form: Form) -> None:
    assert drawn(ALL, form) == ALL


@pytest.mark.parametrize("form", [list, SampleColumns.of])
@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ([*ALL[:3], ("a", 0)], "returned sample 0 of problem 'a', which was not requested"),
        ([("a", 0), ("a", 0)], "returned sample 0 of problem 'a', which was not requested or had been returned before"),
        ([("a", 0), ("c", 1)], "returned sample 1 of problem 'c'"),
        ([("b", 5), ("b", 4)], "returned sample 4 of problem 'b'"),
        ([("a", 3)], "returned sample 3 of problem 'a'"),
        (ALL[:5], "returned 5 of 6 samples"),
        ([], "returned 0 of 6 samples"),
    ],
    ids=str,
)
def test_anything_else_fails_in_one_line(names: Sequence[tuple[str, int]], fault: str, form: Form) -> None:
    with pytest.raises(EngineFailedError, match=fault):
        drawn(names, form)


def with_none_in(samples: list[Sample], field: str) -> list[Sample]:
    absent: dict[str, Any] = {field: None}
    return [*samples[:-1], replace(samples[-1], **absent)]


def with_null_in(samples: list[Sample], field: str) -> SampleColumns:
    table = SampleColumns.of(samples).table
    values = [*table[field].to_pylist()[:-1], None]
    place = table.column_names.index(field)
    return SampleColumns(table.set_column(place, field, pa.array(values, table[field].type)))


@pytest.mark.parametrize("form", [with_none_in, with_null_in])
@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("problem_id", "^test returned sample 0 of problem None, which was not requested or had been returned before$"),
        ("index", "^test returned sample None of problem 'a', which was not requested or had been returned before$"),
        ("text", "^test returned Sample, not a Sample with a text$"),
    ],
)
def test_a_sample_without_a_problem_an_index_or_a_text_fails_in_one_line(
    field: str, fault: str, form: Callable[[list[Sample], str], Sequence[Sample]]
) -> None:
    # Arrow's buffers have 0 for the last sample's problem and index, which would make it one that was requested.
    engine = InBatches([("a", 2), ("a", 1), ("a", 0)], lambda samples: form(samples, field))
    with pytest.raises(EngineFailedError, match=fault):
        next(CheckedEngine(engine, "test").sample(REQUESTS, SAMPLING))
