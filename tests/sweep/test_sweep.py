"""The sweep in plain Python, without Prefect, with a grader that can simulate infrastructure failures."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from sandboxes import Sandbox
from tasks.engines import Engine
from tasks.engines.recorded import RecordedEngine
from tasks.errors import EngineFailedError, UserError
from tasks.graders import Grader
from tasks.graders.base.requirements import require_check
from tasks.progress import NullProgress, progress
from tasks.records import AnswerCheck, GradedSample, Problem, Request, Sample, Sampling, Verdict
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep, TakenOverError
from tests.in_memory import InMemory
from tests.nothing_to_close import NothingToClose

PROBLEMS = [Problem(f"p{number:02}", f"{number}?", AnswerCheck(str(number))) for number in range(20)]
SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=10, stop=(), seed=0)


class DividesGrader:
    """Sample i of problem p is correct if p + 1 divides i; samples in `broken` are infrastructure failures."""

    name, version, runs_code = "divides", 1, False

    def __init__(self, broken: set[tuple[str, int]] | None = None) -> None:
        self.broken = broken or set()
        self.graded = 0

    def check(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            require_check(problem, AnswerCheck)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            self.graded += 1
            verdict = (
                Verdict.CORRECT
                if sample.index % (int(require_check(problem, AnswerCheck).answer) + 1) == 0
                else Verdict.WRONG
            )
            if (problem.id, sample.index) in self.broken:
                verdict = Verdict.INFRASTRUCTURE
            yield GradedSample(problem.id, sample.index, verdict)


class CountingEngine(NothingToClose):
    """Counts the samples that it is asked for."""

    version, deterministic, max_concurrent_calls = "counting 1", True, 1

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        for request in requests:
            self.asked += [(request.problem_id, index) for index in range(request.start, request.stop)]
            yield [Sample(request.problem_id, index, f"{index}") for index in range(request.start, request.stop)]


def sweep_of(folder: Path, k: int, grader: Grader, first: int | None = None) -> Sweep:
    store = FsspecStore(str(folder))
    samples = sample_identity("toy", seed=0)
    return Sweep(
        grading=Grading(
            selection=Selection.of(PROBLEMS, k=k, first=first), grader=grader, samples=SampleSet(store, samples)
        ),
        template="humaneval",
        sampling=SAMPLING,
    )


def run(sweep: Sweep, engine: Engine) -> int:
    missing = sweep.missing_samples()
    for block in missing:
        sweep.draw(block, engine)
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)
    return sum(block.samples for block in missing)


def test_no_sample_is_drawn_twice_or_lost(tmp_path: Path) -> None:
    engine = CountingEngine()
    budgets = [(5, 30), (5, 30), (20, 30), (20, 10), (20, 130), (7, 1_050), (20, 1_050)]
    drawn = [run(sweep_of(tmp_path, k, DividesGrader(), first), engine) for first, k in budgets]
    assert drawn == [150, 0, 450, 0, 2_000, 6_440, 11_960]
    assert sorted(engine.asked) == [(problem.id, index) for problem in PROBLEMS for index in range(1_050)]


def test_no_sample_is_graded_twice(tmp_path: Path) -> None:
    grader, engine = DividesGrader(), CountingEngine()
    for k in (30, 30, 130):
        run(sweep_of(tmp_path, k, grader), engine)
    assert grader.graded == len(engine.asked) == 20 * 130


def test_only_samples_below_k_of_selected_problems_are_counted(tmp_path: Path) -> None:
    run(sweep_of(tmp_path, 130, DividesGrader()), CountingEngine())
    tally = sweep_of(tmp_path, 60, DividesGrader(), first=3).results().tally
    assert tally.by_problem.problem_ids == ("p00", "p01", "p02")
    np.testing.assert_array_equal(tally.by_problem.n, [60, 60, 60])
    np.testing.assert_array_equal(tally.by_problem.c, [60, 30, 20])
    assert tally.verdicts == {"correct": 110, "wrong": 70}


def test_infrastructure_failures_are_left_out_of_n_and_graded_again(tmp_path: Path) -> None:
    engine = CountingEngine()
    broken = DividesGrader({("p00", 3), ("p19", 0)})
    run(sweep_of(tmp_path, 10, broken), engine)
    tally = sweep_of(tmp_path, 10, broken).results().tally
    assert (tally.by_problem.n[0], tally.by_problem.c[0], tally.by_problem.n[19], tally.by_problem.c[19]) == (
        9,
        9,
        9,
        0,
    )
    assert tally.verdicts["infrastructure"] == 2

    fixed = DividesGrader()
    assert run(sweep_of(tmp_path, 10, fixed), engine) == 0
    tally = sweep_of(tmp_path, 10, fixed).results().tally
    assert "infrastructure" not in tally.verdicts
    assert (tally.by_problem.n[0], tally.by_problem.c[19]) == (10, 1)


def test_a_damaged_block_is_set_aside_reported_and_drawn_again(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, 10, DividesGrader())
    (block, *_) = sweep.missing_samples()
    assert sweep.draw(block, CountingEngine()) == [block]
    path = tmp_path / "samples" / sweep.samples.identity.name / block.key
    data = bytearray(path.read_bytes())
    data[20] ^= 0xFF  # within the first column's page; the footer stays intact
    path.write_bytes(data)
    with pytest.raises(UserError, match="problems 0-15, samples 0-9 was damaged"):
        sweep.grading.grade(block, None)
    assert block in sweep.missing_samples()


def test_a_sweep_that_was_suspended_does_not_overwrite_what_another_stored(tmp_path: Path) -> None:
    sleeper, other = sweep_of(tmp_path, 10, DividesGrader()), sweep_of(tmp_path, 20, DividesGrader())
    (block, *_) = sleeper.missing_samples()

    class SlowEngine(CountingEngine):
        def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
            other._draw_missing(
                other.missing_samples()[0], CountingEngine()
            )  # as if the claim of the suspended sweep had expired
            yield from super().sample(requests, sampling)

    with pytest.raises(TakenOverError):
        sleeper.draw(block, SlowEngine())
    assert sleeper.draw(block, CountingEngine()) == []
    assert [stored.stop for stored in sleeper.samples.stored()] == [20]


def test_two_sweeps_share_the_work(tmp_path: Path) -> None:
    first, second = sweep_of(tmp_path, 10, DividesGrader()), sweep_of(tmp_path, 30, DividesGrader())
    (mine, *_), (same, *_) = first.missing_samples(), second.missing_samples()

    class BusyEngine(CountingEngine):
        def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
            assert second.draw(same, CountingEngine()) is None, "the first sweep is drawing it"
            yield from super().sample(requests, sampling)

    engine = CountingEngine()
    assert first.draw(mine, BusyEngine()) == [mine]
    assert second.draw(same, engine, wait=True) == [Block(10, 30, 0, 16)], "only what the first sweep left"
    assert {index for _, index in engine.asked} == set(range(10, 30))


def test_examples_show_each_verdict_on_several_problems(tmp_path: Path) -> None:
    run(sweep_of(tmp_path, 30, DividesGrader()), CountingEngine())
    examples = sweep_of(tmp_path, 30, DividesGrader()).results().examples(3)
    shown = [(example.graded.verdict, example.sample.problem_id) for example in examples]
    assert [verdict for verdict, _ in shown] == [Verdict.CORRECT] * 3 + [Verdict.WRONG] * 3
    assert len(set(shown)) == 6


def test_progress_reports_every_unit(tmp_path: Path) -> None:
    class CountingListener:
        def __init__(self) -> None:
            self.planned: dict[str, int] = {}
            self.done: dict[str, int] = {}

        def plan(self, stage: str, total: int) -> None:
            self.planned[stage] = self.planned.get(stage, 0) + total

        def advance(self, stage: str, done: int) -> None:
            self.done[stage] = self.done.get(stage, 0) + done

        def say(self, line: str) -> None:
            raise AssertionError(line)

    listener = CountingListener()
    token = progress.set(listener)
    try:
        sweep = sweep_of(tmp_path, 10, DividesGrader())
        for block in sweep.missing_samples():
            sweep.draw(block, RecordedEngine(InMemory(recorded(10)), "toy"))
            sweep.grading.grade(block, None)
    finally:
        progress.reset(token)
    assert listener.planned == listener.done == {"samples": 200, "verdicts": 200}


def recorded(k: int) -> dict[str, dict[int, Sample]]:
    return {problem.id: {index: Sample(problem.id, index, "") for index in range(k)} for problem in PROBLEMS}


class DyingEngine(CountingEngine):
    """Yields five samples of a problem at a time, and dies after this many lists."""

    def __init__(self, lists: int) -> None:
        super().__init__()
        self.lists = lists

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        for request in requests:
            # Those from 40 on are yielded last, so that there can be a gap.
            for start in sorted(range(request.start, request.stop, 5), key=lambda at: at == 40):
                if not self.lists:
                    raise EngineFailedError("the engine died")
                self.lists -= 1
                samples = range(start, min(start + 5, request.stop))
                self.asked += [(request.problem_id, index) for index in samples]
                yield [Sample(request.problem_id, index, f"{index}") for index in samples]


def test_what_a_failing_engine_drew_is_stored_and_not_drawn_again(tmp_path: Path) -> None:
    # Two whole problems of 12 lists each; of the third, lists up to 39, and one after the gap at 40.
    dying, grader = DyingEngine(2 * 12 + 9), DividesGrader()
    sweep = sweep_of(tmp_path, 60, grader)
    with pytest.raises(EngineFailedError):
        run(sweep, dying)
    assert [str(block) for block in sweep.samples.blocks()] == [
        "problems 2-2, samples 0-39",
        "problems 0-1, samples 0-59",
    ]
    engine = CountingEngine()
    assert run(sweep, engine) == 20 * 60 - 160
    assert sorted(dying.asked[:160] + engine.asked) == [(problem.id, i) for problem in PROBLEMS for i in range(60)]
    assert sum(sweep.results().tally.by_problem.n) == 20 * 60


def test_progress_equals_what_is_stored_after_a_failure(tmp_path: Path) -> None:
    class CountingListener(NullProgress):
        done = 0

        def advance(self, stage: str, done: int) -> None:
            self.done += done if stage == "samples" else 0

    listener = CountingListener()
    token = progress.set(listener)
    try:
        sweep = sweep_of(tmp_path, 60, DividesGrader())
        missing = sweep.missing_samples()
        with pytest.raises(EngineFailedError):
            sweep.draw(missing[0], DyingEngine(30))
        for block in missing:
            sweep.draw(block, CountingEngine())
    finally:
        progress.reset(token)
    assert listener.done == 20 * 60


def test_whether_samples_are_reproducible_is_stored_with_them(tmp_path: Path) -> None:
    class Fickle(CountingEngine):
        deterministic = False

    sweep = sweep_of(tmp_path, 5, DividesGrader())
    first, second = sweep.missing_samples()
    sweep.draw(first, CountingEngine())
    sweep.draw(second, Fickle())
    assert [footer.reproducible for footer in sweep.samples.stored().values()] == [True, False]
