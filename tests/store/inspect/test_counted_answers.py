"""Which samples count where how many a problem has depends on what they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.setup.picking import from_store
from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem
from tasks.records import Verdict
from tasks.scaling.estimators import Counts
from tasks.scaling.settled_votes import DeliveredVote, Voting
from tasks.scaling.summary import StoppingRecord, SweepSummary, summarise, summarise_voting
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.counted_answers import that_count
from tasks.store.inspect.counts import counts, planned
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig, VoteConfig
from tasks.sweep.sweep import Sweep
from tests.store.inspect.test_answers import reported, url
from tests.store.stored import LastLineGrader, complete, fill, grade, sweep_of

pytestmark = pytest.mark.usefixtures("without_figures_of_counts")

COUNTS = Counts.of(["a", "b"], 7, [1, 1])


def answered(indices: dict[str, list[int]]) -> dict[str, AnsweredProblem]:
    """Problems whose samples were read in this order."""
    problems = {}
    for problem_id, of_problem in indices.items():
        problems[problem_id] = AnsweredProblem(problem_id)
        for index in of_problem:
            problems[problem_id].add("here", index, str(index), index % 2 == 0, {"score": float(index)}, passed=True)
    return problems


def kept(problems: list[AnsweredProblem]) -> dict[str, list[int | None]]:
    """The indices of the samples that are left; answers, verdicts and scores belong to them."""
    for each in problems:
        assert each.answers == [str(index) for index in each.samples]
        assert each.correct == [index is not None and index % 2 == 0 for index in each.samples]
        assert each.scores["score"] == [float(index or 0) for index in each.samples]
        assert len(each.places) == len(each.passed) == len(each.samples)
    return {each.problem_id: each.samples for each in problems}


def test_first_samples_are_those_of_the_lowest_index_in_whatever_order_blocks_were_read() -> None:
    found, notes = that_count(answered({"a": [0, 1, 2], "b": [5, 6, 0, 1, 2, 3, 4]}), None, planned={})
    assert kept(found) == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert notes == [
        "No report says how many samples of each problem were to be drawn: of every problem only the first 3 are used."
    ]


def test_after_a_vote_budget_only_samples_of_the_first_round_count_even_if_some_were_lost() -> None:
    """Sample 5 was drawn because the vote was not settled by the first five, one of which was lost."""
    voting = Voting(tuple(DeliveredVote(each, 7, 7, 1.0, settled=True) for each in ("a", "b")), 5, 7)
    summary = summarise_voting(COUNTS, {"correct": 2, "wrong": 12}, voting)
    found, _ = that_count(
        answered({"a": [0, 1, 3, 4, 5, 6], "b": [0, 1, 2, 3, 4]}), summary, planned=planned([summary])
    )
    assert kept(found) == {"a": [0, 1, 3, 4], "b": [0, 1, 2, 3]}


def test_a_report_on_a_uniform_budget_counts_no_more_than_it_did() -> None:
    summary = summarise(Counts.of(["a", "b"], 3, [1, 1]), {"correct": 2, "wrong": 4})
    read = {"a": [0, 1, 2], "b": [3, 4, 0, 1, 2], "c": [0]}
    found, notes = that_count(answered(read), summary, planned=planned([summary]))
    assert kept(found) == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert notes == ["3 samples are not counted by the set's latest report: they are left out; run its sweep again."]
    found, notes = that_count(answered(read), summary, planned=None)
    assert kept(found) == {"a": [0, 1, 2], "b": [0, 1, 2, 3, 4], "c": [0]}
    assert notes == []


def test_a_stored_set_that_went_on_after_its_report_is_read_up_to_the_report(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    reported(store, sweep_of(store, problems=4, k=20))
    assert from_store(url(tmp_path), "arith", None, None).notes == ()
    complete(sweep_of(store, problems=4, k=30))
    read = from_store(url(tmp_path), "arith", None, None)
    assert {len(each.scores["logprob_sum"]) for each in read.problems} == {20}
    assert "40 samples are not counted by the set's latest report" in read.notes[0]


def test_after_an_adaptive_budget_only_samples_of_the_first_round_count_even_if_all_problems_have_more() -> None:
    """That all problems went on after the first round is an outcome, too."""
    summary = replace(
        summarise(Counts.of(["a", "b"], 5, [1, 1]), {"correct": 2, "wrong": 8}),
        stopping=StoppingRecord((3, 5), (3, 6), ((3, 5), (3, 5))),
    )
    found, notes = that_count(
        answered({"a": [0, 1, 2, 3, 4], "b": [0, 1, 2, 3, 4]}), summary, planned=planned([summary])
    )
    assert kept(found) == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert "of every problem only the first 3 samples are used" in notes[0]


def test_what_was_planned_is_known_of_reports_of_earlier_versions_too() -> None:
    one_lost = summarise(Counts.of(["a", "b"], [9, 9], [1, 1]), {"correct": 2, "wrong": 16, "infrastructure": 2})
    assert one_lost.planned == 10, "each problem lost a sample to the infrastructure"
    assert SweepSummary.from_json(one_lost.to_json()).planned == 10
    assert replace(one_lost, first_round=12).planned == 12
    assert summarise(Counts.of([], 1, []), {}).planned == 0


class Lenient(LastLineGrader):
    """A third grader."""

    name = "lenient"


def regraded(tmp_path: Path, budget: Budget, *, k: int = 60, broken: int | None = None) -> str:
    """A set with a report, and another grader's verdicts without one; the name of these."""
    store = FsspecStore(url(tmp_path))
    reported(store, sweep_of(store, problems=8, k=k, budget=budget))
    grade(sweep_of(store, problems=8, k=k, grader=LastLineGrader(broken)))
    (name,) = (each.name for each in find(store, "arith").verdicts if each.ingredients["grader"] == "last_line")
    return name


def test_verdicts_without_a_report_count_what_the_budget_was_sure_to_draw(tmp_path: Path) -> None:
    """The budget stopped problems by the first grader's verdicts, which the second one's resemble."""
    budget = AdaptiveConfig(precision=5)
    name = regraded(tmp_path, budget)
    first = budget.plan(60).ends[0]
    found = find(FsspecStore(url(tmp_path)), "arith")
    assert first < min(found.by_problem.values()), "every problem has more, by chance"
    counted = counts(FsspecStore(url(tmp_path)), found, found.graded_by(name))  # type: ignore[arg-type]
    assert counted.n.tolist() == [first] * 8
    read = from_store(url(tmp_path), "arith", name, None)
    assert {each.n for each in read.problems} == {first}
    assert f"only the first {first} samples are used" in read.notes[0]


def test_verdicts_without_a_report_keep_all_that_a_uniform_budget_drew_but_what_they_lost(tmp_path: Path) -> None:
    name = regraded(tmp_path, UniformConfig(), k=20, broken=4)
    store = FsspecStore(url(tmp_path))
    found = find(store, "arith")
    counted = counts(store, found, found.graded_by(name))  # type: ignore[arg-type]
    assert counted.n.tolist() == [19] * 8
    read = from_store(url(tmp_path), "arith", name, "final_answer")
    assert [each.n for each in read.problems] == [19] * 8
    complete(sweep_of(store, problems=8, k=30))
    grade(sweep_of(store, problems=8, k=30, grader=LastLineGrader(4)))
    found = find(store, "arith")
    assert counts(store, found, found.graded_by(name)).n.tolist() == [19] * 8, "nobody says why there are more"  # type: ignore[arg-type]


def verdicts_of(sweep: Sweep) -> dict[str, dict[int, Verdict]]:
    """The stored verdicts by problem and index."""
    found: dict[str, dict[int, Verdict]] = {}
    for block, footer in sweep.samples.stored().items():
        if block in sweep.grading.verdicts.stored():
            for each in sweep.grading.verdicts.read(block, footer)[0]:
                found.setdefault(each.problem_id, {})[each.index] = each.verdict
    return found


def counted_of(verdicts: dict[str, dict[int, Verdict]], first: int) -> dict[str, tuple[int, int]]:
    """n and c of the `first` verdicts of each problem of the lowest index, without infrastructure failures."""
    cut = {problem: [each[at] for at in sorted(each)[:first]] for problem, each in verdicts.items()}
    lost, correct = Verdict.INFRASTRUCTURE, Verdict.CORRECT
    return {problem: (len(each) - each.count(lost), each.count(correct)) for problem, each in cut.items()}


def by_id(counted: Counts) -> dict[str, tuple[int, int]]:
    return dict(zip(counted.problem_ids, zip(counted.n.tolist(), counted.c.tolist(), strict=True), strict=True))


@pytest.mark.parametrize(("k", "broken"), [(30, 7), (130, 7), (130, 110), (130, None), (1, 0)])
def test_without_a_report_n_is_the_number_of_graded_samples_that_c_was_counted_over(
    tmp_path: Path, k: int, broken: int | None
) -> None:
    store = FsspecStore(url(tmp_path))
    sweep = fill(store, k=k, grader=LastLineGrader(broken))
    found = find(store, "arith")
    counted = counts(store, found, found.verdicts[0])
    assert counted.n.tolist() == [k - (broken is not None)] * 20, "a failure costs one sample, not its block"
    assert by_id(counted) == counted_of(verdicts_of(sweep), k)


def test_without_a_report_each_problem_counts_as_many_verdicts_as_all_have_and_no_problem_vanishes(
    tmp_path: Path,
) -> None:
    store = FsspecStore(url(tmp_path))
    fill(store, k=130, grader=LastLineGrader(7))
    sweep = fill(store, problems=16, k=230, grader=LastLineGrader(7))
    first = min(sweep.grading.verdicts.stored(), key=lambda block: (block.start, block.first))
    assert (first.start, first.stop, first.last) == (0, 100, 16)
    sweep.grading.verdicts.quarantine(first)
    found = find(store, "arith")
    counted = counts(store, found, found.verdicts[0])
    assert by_id(counted) == counted_of(verdicts_of(sweep), 130)
    assert sorted(counted.n.tolist()) == [129] * 4 + [130] * 16


def test_verdicts_without_a_report_count_the_maximum_that_reports_planned_for_each_problem(tmp_path: Path) -> None:
    """One report is on many samples of few problems, the other on few samples of all."""
    store = FsspecStore(url(tmp_path))
    reported(store, sweep_of(store, problems=4, k=100))
    reported(store, sweep_of(store, problems=8, k=20, grader=LastLineGrader()))
    for each in (sweep_of(store, problems=8, k=20, grader=Lenient()), sweep_of(store, k=100, grader=Lenient())):
        grade(each)
    found = find(store, "arith")
    (name,) = (each.name for each in found.verdicts if each.ingredients["grader"] == "lenient")
    counted = counts(store, found, found.graded_by(name))  # type: ignore[arg-type]
    assert sorted(counted.n.tolist()) == [20] * 4 + [100] * 4
    read = from_store(url(tmp_path), "arith", name, "final_answer")
    assert sorted(each.n for each in read.problems) == [20] * 4 + [100] * 4
    assert read.notes == ()


@pytest.mark.parametrize(
    ("budget", "why"), [(SolveConfig(first=2), "in solve mode"), (VoteConfig(), "vote was settled")], ids=str
)
def test_verdicts_without_a_report_give_no_coverage_where_the_budget_gave_none(
    tmp_path: Path, budget: Budget, why: str
) -> None:
    name = regraded(tmp_path, budget, k=20)
    store = FsspecStore(url(tmp_path))
    found = find(store, "arith")
    with pytest.raises(UserError, match=why):
        counts(store, found, found.graded_by(name))  # type: ignore[arg-type]
