"""Samples as columns are the samples that they were made of."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.records import Confidence, Sample, Turn
from tasks.store import sample_columns
from tasks.store.sample_columns import SampleColumns

numbers = st.none() | st.integers(0, 2**31 - 1)
floats = st.none() | st.floats(allow_nan=False)
samples = st.builds(
    Sample,
    st.sampled_from(["a", "b/🐒", ""]),
    st.integers(0, 2**31 - 1),
    st.text(),
    numbers,
    numbers,
    floats,
    st.none() | st.sampled_from(["stop", "length"]),
    numbers,
    st.just(()) | st.tuples(st.builds(Turn, st.just("tool"), st.text())),
    st.none() | st.builds(Confidence, st.floats(0, 9), floats, floats, floats, numbers, numbers),
)


@settings(deadline=None, max_examples=50)
@given(parts=st.lists(st.lists(samples, max_size=4), min_size=1, max_size=4), data=st.data())
def test_columns_have_the_samples_that_they_were_made_of(parts: list[list[Sample]], data: st.DataObject) -> None:
    together = [each for part in parts for each in part]
    columns = SampleColumns.joined([SampleColumns.of(part) for part in parts])
    assert len(columns) == len(together)
    assert list(columns) == together
    assert columns.indices.tolist() == [each.index for each in together]
    assert columns.positions({"a": 5}).tolist() == [5 if each.problem_id == "a" else -1 for each in together]
    rows = data.draw(st.permutations(range(len(together))))
    assert list(columns.take(np.array(rows, np.int64))) == [together[row] for row in rows]
    wanted = np.array([each.problem_id == "a" for each in together], np.bool_)
    assert list(columns.where(wanted)) == [each for each in together if each.problem_id == "a"]
    for row, sample in enumerate(together):
        assert columns[row] == columns[row - len(together)] == sample
    assert list(columns[1::2]) == together[1::2]
    unused = [name for name in columns.where(wanted).table.column_names if name.startswith("confidence_")]
    assert unused == [] or any(each.confidence for each in columns.where(wanted))


def test_more_text_than_arrow_rearranges_is_rearranged_as_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_columns, "_MAX_TAKEN", 10)
    columns = SampleColumns.of([Sample("p", 1, "x" * 20), Sample("p", 0, "y" * 20, tokens=3)])
    assert list(columns.take(np.array([1, 0]))) == [Sample("p", 0, "y" * 20, tokens=3), Sample("p", 1, "x" * 20)]


BLOCK = [("a", 2), ("a", 3), ("b", 2), ("b", 3)]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (BLOCK, [0, 1, 2, 3]),
        ([BLOCK[at] for at in (3, 0, 2, 1)], [1, 3, 2, 0]),
        (BLOCK[:3], None),
        ([*BLOCK, ("a", 2)], None),
        ([*BLOCK[:3], ("b", 2)], None),
        ([*BLOCK[:3], ("c", 3)], None),
        ([*BLOCK[:3], ("b", 4)], None),
        ([("a", 2), ("a", 3), ("a", 4), ("b", 3)], None),
        ([("b", 0), ("b", 1), ("b", 2), ("b", 3)], None),
    ],
    ids=str,
)
def test_only_the_samples_of_a_block_each_once_have_an_order(
    names: Sequence[tuple[str, int]], order: list[int] | None
) -> None:
    columns = SampleColumns.of([Sample(problem_id, index, "x") for problem_id, index in names])
    found = columns.order(["a", "b"], range(2, 4))
    assert (None if found is None else found.tolist()) == order
