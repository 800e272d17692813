"""Budgets with a real store: which samples they draw, and that any other budget can continue from them."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandboxes import Sandbox
from tasks.records import GradedSample, Problem, Request, Sample, Sampling, Verdict
from tasks.scaling.estimators import coverage, pass_at_k
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.sweep.test_sweep import PROBLEMS, SAMPLING, CountingEngine, DividesGrader


class RateGrader(DividesGrader):
    """The share of correct samples falls with the problem's position, down to none; random with a fixed seed."""

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            self.graded += 1
            right = outcome(int(problem.id[1:]), sample.index)
            if (problem.id, sample.index) in self.broken:
                yield GradedSample(problem.id, sample.index, Verdict.INFRASTRUCTURE)
            else:
                yield GradedSample(problem.id, sample.index, Verdict.CORRECT if right else Verdict.WRONG)


def outcome(position: int, index: int) -> bool:
    rate = 0.0 if position > 16 else 0.9 * 0.55**position
    return bool(np.random.default_rng((position, index)).random() < rate)


RIGHT = np.array([[outcome(position, index) for index in range(1_000)] for position in range(20)])


def sweep_of(folder: Path, k: int, budget: Budget, broken: set[tuple[str, int]] | None = None) -> Sweep:
    store = FsspecStore(str(folder))
    samples = sample_identity("toy", seed=0)
    grader = RateGrader(broken or set())
    return Sweep(
        grading=Grading(selection=Selection.of(PROBLEMS, k=k), grader=grader, samples=SampleSet(store, samples)),
        template="humaneval",
        sampling=SAMPLING,
        budget=budget,
    )


def run(sweep: Sweep, engine: CountingEngine, max_rounds: int = 100) -> int:
    rounds = 0
    while rounds < max_rounds and (missing := sweep.missing_samples()):
        rounds += 1
        for block in missing:
            sweep.draw(block, engine)
        for block in sweep.grading.pending_verdicts():
            sweep.grading.grade(block, None)
    return rounds


def test_the_adaptive_plan_stops_a_problem_by_samples_times_correct() -> None:
    plan = AdaptiveConfig(precision=2).plan(10_000)
    assert plan.ends == (200, 500, 1_000, 2_000, 5_000, 10_000)
    assert plan.limits == (100, 40, 20, 10, 4, 2)
    assert AdaptiveConfig(precision=1).plan(1) == ((1,), (1,))
    assert SolveConfig().plan(120) == ((10, 20, 50, 100, 120), (1,) * 5)
    assert SolveConfig(first=200).plan(120) == ((120,), (1,))
    assert UniformConfig().plan(120).ends == (120,)


def test_the_adaptive_budget_draws_exactly_what_its_plan_says(tmp_path: Path) -> None:
    engine, budget = CountingEngine(), AdaptiveConfig(precision=1)
    sweep = sweep_of(tmp_path, 1_000, budget)
    assert run(sweep, engine) > 2
    plan = budget.plan(1_000)
    asked = Counter(problem for problem, _ in engine.asked)
    for position, problem in enumerate(PROBLEMS):
        stops = next(
            (end for end, limit in zip(*plan, strict=True) if RIGHT[position, :end].sum() >= limit), plan.ends[-1]
        )
        assert asked[problem.id] == stops
    assert len(engine.asked) == len(set(engine.asked)) < 0.8 * 20_000
    counts = sweep.results().tally.by_problem
    assert counts.n.tolist() == [asked[problem.id] for problem in PROBLEMS]
    assert counts.reach == 1_000
    assert sum(sweep.results().tally.verdicts.values()) == len(engine.asked)
    whole = pass_at_k(1_000, RIGHT.sum(axis=1), [1, 10, 100, 1_000]).mean(axis=0)
    assert coverage(counts, [1, 10, 100, 1_000]).coverage == pytest.approx(whole, abs=0.06)


def test_a_uniform_sweep_draws_what_an_adaptive_one_left(tmp_path: Path) -> None:
    engine = CountingEngine()
    for budget in (SolveConfig(), AdaptiveConfig(precision=0.2), AdaptiveConfig(precision=1), UniformConfig()):
        run(sweep_of(tmp_path, 1_000, budget), engine)
    assert len(engine.asked) == len(set(engine.asked)) == 20_000
    counts = sweep_of(tmp_path, 1_000, UniformConfig()).results().tally.by_problem
    assert counts.rounds is None
    assert counts.c.tolist() == RIGHT.sum(axis=1).tolist()


def test_samples_beyond_where_the_plan_stops_do_not_count(tmp_path: Path) -> None:
    """An adaptive result depends only on the plan, not on what else is in the store."""
    alone, after = CountingEngine(), CountingEngine()
    run(sweep_of(tmp_path / "alone", 500, AdaptiveConfig(precision=1)), alone)
    run(sweep_of(tmp_path / "after", 1_000, UniformConfig()), after)
    assert run(sweep_of(tmp_path / "after", 500, AdaptiveConfig(precision=1)), after) == 0
    first, second = (
        sweep_of(tmp_path / name, 500, AdaptiveConfig(precision=1)).results().tally for name in ("alone", "after")
    )
    assert first.by_problem.n.tolist() == second.by_problem.n.tolist()
    assert first.by_problem.c.tolist() == second.by_problem.c.tolist()
    assert first.verdicts == second.verdicts


def test_the_solve_budget_stops_a_problem_after_the_round_of_its_first_success(tmp_path: Path) -> None:
    engine = CountingEngine()
    sweep = sweep_of(tmp_path, 200, SolveConfig())
    run(sweep, engine)
    asked = Counter(problem for problem, _ in engine.asked)
    for position, problem in enumerate(PROBLEMS):
        first = next((i for i in range(200) if RIGHT[position, i]), 199)
        assert asked[problem.id] == next(end for end in (10, 20, 50, 100, 200) if first < end)
    tally = sweep.results().tally
    firsts = {PROBLEMS[p].id: int(RIGHT[p].argmax()) for p in range(20) if RIGHT[p, :200].any()}
    assert tally.first_correct == firsts


def test_an_interrupted_round_is_finished_before_the_next_starts(tmp_path: Path) -> None:
    engine = CountingEngine()
    sweep = sweep_of(tmp_path, 1_000, AdaptiveConfig(precision=1))
    for block in sweep.missing_samples()[:1]:
        sweep.draw(block, engine)
    assert {block.stop for block in sweep.missing_samples()} == {50}
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)
    # The first 16 problems have finished their round: some stopped, the others continue, and four have not started.
    assert {block.stop for block in sweep.missing_samples()} == {50, 100}
    counts = sweep.results().tally.by_problem
    assert counts.n.tolist() == [50] * 16 + [0] * 4
    run(sweep, engine)
    assert len(engine.asked) == len(set(engine.asked))


def test_infrastructure_failures_are_left_out_of_the_counts(tmp_path: Path) -> None:
    broken = {("p00", index) for index in range(30)} | {("p19", 999)}
    sweep = sweep_of(tmp_path, 1_000, AdaptiveConfig(precision=1), broken)
    run(sweep, CountingEngine())
    counts = sweep.results().tally.by_problem
    assert counts.n[0] in (20, 70)
    assert counts.n[19] == counts.reach == 999
    assert np.isfinite(coverage(counts, [1, 999]).coverage).all()


def test_only_tokens_of_samples_that_count_are_summed(tmp_path: Path) -> None:
    class TalkingEngine(CountingEngine):
        def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
            for samples in super().sample(requests, sampling):
                yield [replace(each, prompt_tokens=7, tokens=each.index) for each in samples]

    run(sweep_of(tmp_path, 500, UniformConfig()), TalkingEngine())
    for budget in (AdaptiveConfig(precision=1), UniformConfig()):
        results = sweep_of(tmp_path, 450, budget).results()
        n = results.tally.by_problem.n
        assert results.tokens() == (7 * n.sum(), (n * (n - 1) // 2).sum())
        usage = results.summarise().usage
        assert usage is not None
        assert usage.samples == n.sum()
    silent = tmp_path / "silent"
    run(sweep_of(silent, 10, UniformConfig()), CountingEngine())
    assert sweep_of(silent, 10, UniformConfig()).results().tokens() == (None, None)


def test_an_unfinished_round_stops_no_problem(tmp_path: Path) -> None:
    run(sweep_of(tmp_path, 30, UniformConfig()), CountingEngine())
    counts = sweep_of(tmp_path, 1_000, AdaptiveConfig(precision=1)).results().tally.by_problem
    assert RIGHT[0, :30].sum() >= 20, "enough for the end of the first round, which has not come"
    assert counts.n.tolist() == [30] * 20
    assert counts.rounds is not None
    assert not counts.rounds.stopped(counts.n, counts.c).any()
    assert np.isnan(counts.pass_at_k([31])).all()
    assert counts.pass_at_k([5])[:, 0] == pytest.approx(pass_at_k(30, RIGHT[:, :30].sum(axis=1), 5))
