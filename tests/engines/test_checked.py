"""What an engine returns is checked against what was requested, in lists and in columns alike."""

from collections.abc import Callable, Generator, Sequence

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
