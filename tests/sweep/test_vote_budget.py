"""The budget that stops at settled votes, with a real store: what it draws, what it delivers, and what it leaves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.records import GradedSample, Problem, Sample, Verdict
from tasks.scaling.settled_votes import DeliveredVote
from tasks.scaling.summary import SweepSummary
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import find
from tasks.store.inspect.counts import counts
from tasks.store.sets import SampleSet
from tasks.sweep.budgets import Budget, SolveConfig, UniformConfig, VoteConfig
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tasks.sweep.votes import Votes
from tests.sweep.test_budgets import run
from tests.sweep.test_sweep import PROBLEMS, SAMPLING, CountingEngine, DividesGrader

K = 300


def answer_of(position: int, index: int) -> str | None:
    """Right answers are rarer in later problems; the rest is one of three wrong ones, or none."""
    generator = np.random.default_rng((position, index))
    if generator.random() < 0.9 * 0.9**position:
        return "right"
    return generator.choice(np.array(["x", "y", "z", ""])).item() or None


ANSWERS = [[answer_of(position, index) for index in range(K)] for position in range(20)]


class AnswerGrader(DividesGrader):
    """Finds the recorded answers."""

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            self.graded += 1
            if (problem.id, sample.index) in self.broken:
                yield GradedSample(problem.id, sample.index, Verdict.INFRASTRUCTURE)
                continue
            answer = ANSWERS[int(problem.id[1:])][sample.index]
            verdict = {None: Verdict.NO_ANSWER, "right": Verdict.CORRECT}.get(answer, Verdict.WRONG)
            yield GradedSample(problem.id, sample.index, verdict, answer=answer)


def sweep_of(folder: Path, k: int, budget: Budget, broken: set[tuple[str, int]] | None = None) -> Sweep:
    samples = SampleSet(FsspecStore(str(folder)), sample_identity("toy", seed=0))
    grader = AnswerGrader(broken or set())
    return Sweep(
        grading=Grading(selection=Selection.of(PROBLEMS, k=k), grader=grader, samples=samples),
        template="humaneval",
        sampling=SAMPLING,
        budget=budget,
    )


def expected(position: int, k: int, budget: VoteConfig) -> DeliveredVote:
    """What the definition says, sample by sample."""
    for end in budget.plan(k).ends:
        votes = Counter(each for each in ANSWERS[position][:end] if each is not None)
        settled = budget.settled(sorted(votes.values(), reverse=True))
        if settled or end == k:
            leading = [each for each, count in votes.items() if count == max(votes.values())]
            right = leading.count("right") / len(leading)
            return DeliveredVote(PROBLEMS[position].id, end, votes.total(), right, settled)
    raise AssertionError


def publish(folder: Path, sweep: Sweep) -> SweepSummary:
    """The summary as a report stores it."""
    summary = sweep.results().summarise()
    names = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
    FsspecStore(str(folder)).write(f"reports/{names[0]}/{names[1]}/summary.json", summary.to_json().encode())
    return summary


def test_a_problem_stops_after_the_round_that_settles_its_vote_and_its_answer_is_delivered(tmp_path: Path) -> None:
    engine, budget = CountingEngine(), VoteConfig()
    sweep = sweep_of(tmp_path, 100, budget)
    run(sweep, engine)
    voting = sweep.results().tally.voting
    assert voting is not None
    assert list(voting.problems) == [expected(position, 100, budget) for position in range(20)]
    assert len(set(engine.asked)) == len(engine.asked) == voting.samples < 0.7 * 20 * 100
    assert 0 < voting.settled < 20
    assert sweep.missing_samples() == []
    assert sweep.results().tally.by_problem.rounds is None, "limits of correct samples say nothing of these"
    assert SweepSummary.from_json(sweep.results().summarise().to_json()).voting == voting


def test_an_interrupted_run_ends_with_the_samples_of_one_that_was_not(tmp_path: Path) -> None:
    whole, parts = CountingEngine(), CountingEngine()
    run(sweep_of(tmp_path / "whole", 100, VoteConfig()), whole)
    rounds = 0
    while sweep_of(tmp_path / "parts", 100, VoteConfig()).missing_samples():
        # Drawn but not graded, as after a kill; then a new process takes over.
        sweep = sweep_of(tmp_path / "parts", 100, VoteConfig())
        sweep.draw(sweep.missing_samples()[0], parts)
        rounds += run(sweep_of(tmp_path / "parts", 100, VoteConfig()), parts, max_rounds=1)
        for block in sweep.grading.pending_verdicts():
            sweep.grading.grade(block, None)
    assert rounds > 1
    assert sorted(parts.asked) == sorted(whole.asked)
    assert len(set(parts.asked)) == len(parts.asked)


def test_a_larger_k_goes_on_only_with_problems_that_are_not_settled(tmp_path: Path) -> None:
    engine, budget = CountingEngine(), VoteConfig()
    run(sweep_of(tmp_path, 50, budget), engine)
    first = len(engine.asked)
    sweep = sweep_of(tmp_path, K, budget)
    run(sweep, engine)
    voting = sweep.results().tally.voting
    assert voting is not None
    assert list(voting.problems) == [expected(position, K, budget) for position in range(20)]
    assert len(set(engine.asked)) == len(engine.asked) == voting.samples > first


def test_other_budgets_continue_from_it_and_it_from_them(tmp_path: Path) -> None:
    engine = CountingEngine()
    for budget in (VoteConfig(), SolveConfig(), UniformConfig()):
        run(sweep_of(tmp_path, 50, budget), engine)
    assert len(set(engine.asked)) == len(engine.asked) == 20 * 50
    again = sweep_of(tmp_path, 50, VoteConfig())
    assert run(again, engine) == 0
    voting = again.results().tally.voting
    assert voting is not None
    assert list(voting.problems) == [expected(position, 50, VoteConfig()) for position in range(20)], (
        "what was delivered depends on the plan, not on what else is stored"
    )


def test_samples_lost_to_the_infrastructure_have_no_vote(tmp_path: Path) -> None:
    engine, broken = CountingEngine(), {(PROBLEMS[0].id, 1)}
    sweep = sweep_of(tmp_path, 100, VoteConfig(), broken)
    run(sweep, engine)
    voting = sweep.results().tally.voting
    assert voting is not None
    of_first = voting.problems[0]
    assert of_first.samples == max(index for problem, index in engine.asked if problem == PROBLEMS[0].id)
    assert of_first.votes <= of_first.samples


def test_its_data_is_refused_for_coverage_and_cut_to_the_first_round_for_picking(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, 100, VoteConfig())
    run(sweep, CountingEngine())
    summary = publish(tmp_path, sweep)
    assert not summary.gives_coverage
    assert not (*summary.table, *summary.curve, *summary.forecast)
    assert "curves up to k = 5, which all problems have" in summary.notes[0]
    store = FsspecStore(str(tmp_path))
    found = find(store, "toy")
    (verdicts,) = found.verdicts
    with pytest.raises(UserError, match="until each problem's vote was settled, which gives no pass@k"):
        counts(store, found, verdicts)
    read = stored_answers(store, found, verdicts)
    assert {len(each.samples) for each in read.problems} == {5}
    assert any("only the first 5 samples are used" in note for note in read.notes)

    uniform = sweep_of(tmp_path, 100, UniformConfig())
    run(uniform, CountingEngine())
    publish(tmp_path, uniform)
    found = find(store, "toy")
    assert counts(store, found, found.verdicts[0]).n.tolist() == [100] * 20
    assert {len(each.samples) for each in stored_answers(store, found, found.verdicts[0]).problems} == {100}


def test_only_finished_rounds_and_graded_answers_settle_a_vote() -> None:
    rows = [("a", index, "correct", "7") for index in range(4)] + [
        ("b", index, "infrastructure", "8") for index in range(4)
    ]
    names = ("problem_id", "index", "verdict", "answer")
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    votes = Votes(["a", "b"], (4, 8), VoteConfig(first=4))
    votes.add(Block(0, 8, 0, 2), table)
    assert votes.settled(np.array([[True, False], [True, False]])).tolist() == [[True, False], [False, False]]
    assert not votes.settled(np.zeros((2, 2), dtype=bool)).any(), "a round that is not finished settles nothing"
    assert [each.votes for each in votes.standing(np.array([0, 0]))] == [4, 0]
