from collections import Counter
from pathlib import Path

import pytest

from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.regrade_diff import Difference, difference
from tasks.sweep.sweep import Sweep
from tests.store.stored import LastLineGrader, draw, fill, grade, sweep_of


def verdicts_of(sweep: Sweep) -> dict[tuple[str, int], str]:
    return {
        (each.problem_id, each.index): each.verdict.value
        for block, footer in sweep.samples.stored().items()
        for each in sweep.grading.verdicts.read(block, footer)[0]
    }


def between(before: Sweep, after: Sweep, max_changes: int | None = None) -> Difference:
    store = before.samples.store
    stored = find(store, before.samples.identity.name)
    one, other = (stored.graded_by(each.grading.verdicts.identity.name) for each in (before, after))
    assert one is not None
    assert other is not None
    return difference(store, stored, one, other, max_changes)


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    return FsspecStore(str(tmp_path))


def test_the_difference_is_what_the_two_verdict_sets_say(store: FsspecStore) -> None:
    strict, lenient = fill(store, k=130, grader=LastLineGrader()), fill(store, k=130)
    before, after = verdicts_of(strict), verdicts_of(lenient)
    found = between(strict, lenient)
    assert found.verdicts == Counter((before[each], after[each]) for each in before)
    assert found.verdicts["wrong", "correct"] > 0
    assert [(each.problem_id, each.index, each.before, each.after) for each in found.changes] == [
        (*each, before[each], after[each]) for each in _in_order(before) if before[each] != after[each]
    ]
    assert (found.samples, found.uncompared) == (2_600, 0)
    for problem in found.problems:
        of_problem = [each for each in before if each[0] == problem.problem_id]
        assert problem.samples == len(of_problem) == 130
        assert problem.correct_before == sum(before[each] == "correct" for each in of_problem)
        assert problem.correct_after == sum(after[each] == "correct" for each in of_problem)
        assert problem.changed == sum(before[each] != after[each] for each in of_problem)
    assert len(found.problems) == 20


def _in_order(verdicts: dict[tuple[str, int], str]) -> list[tuple[str, int]]:
    """As blocks hold them: 16 problems, samples 0 to 99 before the rest."""
    return sorted(verdicts, key=lambda each: (int(each[0][-3:]) // 16, each[1] >= 100, each))


def test_only_max_changes_are_listed_but_all_are_counted(store: FsspecStore) -> None:
    strict, lenient = fill(store, k=130, grader=LastLineGrader()), fill(store, k=130)
    everything = between(strict, lenient)
    for most in (0, 3, 500):
        found = between(strict, lenient, most)
        assert found.changes == everything.changes[:most]
        assert (found.changed, found.problems) == (len(everything.changes), everything.problems)


def test_a_sample_that_lacks_a_verdict_is_not_compared(store: FsspecStore) -> None:
    strict = fill(store, grader=LastLineGrader())
    draw(sweep_of(store, k=50))
    lenient = sweep_of(store, k=50)
    grade(lenient)
    found = between(strict, lenient)
    assert (found.samples, found.uncompared) == (600, 400)


def test_verdicts_on_samples_that_were_redrawn_are_not_compared(store: FsspecStore) -> None:
    strict, lenient = fill(store, grader=LastLineGrader()), fill(store)
    block = strict.samples.blocks()[0]
    Path(strict.samples.url(block)).unlink()
    draw(lenient, seed=5)
    grade(lenient)
    found = between(strict, lenient)
    assert (found.samples, found.uncompared) == (600 - block.samples, block.samples)


def test_regrading_draws_nothing_and_leaves_earlier_verdicts(store: FsspecStore, tmp_path: Path) -> None:
    strict = fill(store, grader=LastLineGrader())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("i*.parquet")}
    lenient = sweep_of(store)
    assert lenient.missing_samples() == []
    grade(lenient)
    assert lenient.grading.pending_verdicts() == []
    assert before.items() <= {path: path.stat().st_mtime_ns for path in tmp_path.rglob("i*.parquet")}.items()
    assert strict.results().tally.verdicts != lenient.results().tally.verdicts
