"""Estimates of a sweep, compared with exact recounts and with what was drawn afterwards."""

from pathlib import Path

import numpy as np
import pytest

from tasks.engines.recorded import RecordedEngine
from tasks.records import Price
from tasks.store.busy_time import busy_s
from tasks.store.fsspec_store import FsspecStore
from tasks.store.samples import write_samples
from tasks.sweep.budgets import AdaptiveConfig, SolveConfig
from tasks.sweep.estimate import estimate
from tests.in_memory import InMemory
from tests.store.stored import LastLineGrader, answers, draw, fill, grade, sweep_of

PROMPT = 30
"""Tokens of every prompt in `answers`."""


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def counts(problems: int, k: int) -> list[list[int]]:
    return [[sample.tokens or 0 for sample in of.values()] for of in answers(problems, k).values()]


def test_an_empty_store_gives_only_what_is_certain(tmp_path: Path) -> None:
    job = sweep_of(FsspecStore(str(tmp_path)), problems=20, k=100, price=Price(0.1, 0.5))
    found = estimate(job)
    assert (found.problems, found.stored.samples, found.stored.held) == (20, 0, (0,) * 20)
    assert (found.remaining.samples, found.remaining.verdicts, found.remaining.blocks) == (2_000, 2_000, 2)
    assert (
        found.remaining.tokens,
        found.remaining.prompt_tokens,
        found.remaining.seconds,
        found.remaining.dollars,
    ) == (None,) * 4
    assert found.remaining.max_tokens == 320_000
    assert found.remaining.max_dollars == pytest.approx(0.16)
    assert found.pilot_k == 10
    lengths = [len(job.prompt_of(problem)) for problem in job.selection.problems]
    assert found.prompt_characters[::2] == (min(lengths), max(lengths))
    assert not snapshot(tmp_path)


def test_stored_and_missing_samples_are_counted_exactly(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    fill(store, problems=5, k=50)
    fill(store, problems=20, k=30)
    job = sweep_of(store, problems=12, k=100)
    before = snapshot(tmp_path)
    found = estimate(job)
    assert snapshot(tmp_path) == before, "a plan writes nothing"
    assert found.stored.held == (50,) * 5 + (30,) * 7
    written = counts(5, 50) + counts(12, 30)[5:]
    # 12 of the 20 problems are selected: samples and tokens of the others in the same blocks do not count.
    assert found.stored.samples == sum(map(len, written)) == 460
    assert found.stored.tokens == sum(map(sum, written))
    assert found.stored.prompt_tokens == PROMPT * 460
    assert found.stored.pending == 0
    assert found.remaining.samples == 5 * 50 + 7 * 70 == sum(block.samples for block in job.missing_samples())
    assert found.remaining.blocks == len(job.missing_samples())
    missing = np.array([50] * 5 + [70] * 7)
    assert found.remaining.tokens is not None
    assert found.remaining.tokens.expected == pytest.approx(missing @ [np.mean(each) for each in written])
    assert found.remaining.prompt_tokens is not None
    assert (found.remaining.prompt_tokens.low, found.remaining.prompt_tokens.high) == (PROMPT * 740, PROMPT * 740)
    assert [(each.k, each.samples) for each in found.larger_k] == [(1_000, 740 + 12 * 900), (10_000, 740 + 12 * 9_900)]


def test_samples_beyond_k_count_as_stored_for_a_larger_k(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    fill(store, problems=3, k=30)
    found = estimate(sweep_of(store, problems=3, k=20))
    assert (found.stored.below_k, found.stored.samples, found.remaining.samples, found.remaining.verdicts) == (
        60,
        90,
        0,
        0,
    )
    assert found.remaining.seconds == 0


def test_what_is_drawn_next_agrees_with_the_estimate(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    fill(store, k=10)
    further = sweep_of(store, k=100)
    found = estimate(further).remaining
    fill(store, k=100)
    drawn = sum(map(sum, counts(20, 100))) - sum(map(sum, counts(20, 10)))
    assert found.samples == 20 * 90
    assert found.tokens is not None
    assert found.tokens.low is not None
    assert found.tokens.high is not None
    assert found.tokens.low < drawn < found.tokens.high
    assert found.tokens.high - found.tokens.low < 0.2 * drawn, "the interval is not vacuous"
    assert estimate(further).remaining.samples == 0


def test_stored_samples_without_verdicts_are_pending(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    draw(sweep_of(store, k=30))
    found = estimate(sweep_of(store, k=30))
    assert (found.remaining.samples, found.remaining.verdicts, found.stored.pending, found.stored.grading) == (
        0,
        600,
        600,
        None,
    )
    assert found.remaining.drawing_s == 0
    assert found.remaining.grading_s is None, "nothing has been graded yet, so the time is unknown"
    broken = sweep_of(store, k=30, grader=LastLineGrader(broken=29))
    grade(broken)
    assert estimate(broken).stored.pending == 600, "a block with infrastructure failures is pending again"
    grade(sweep_of(store, k=30))
    graded = estimate(sweep_of(store, k=30))
    assert graded.stored.pending == 0
    assert graded.stored.grading is not None
    assert graded.stored.grading.samples == 600


def test_a_damaged_block_counts_as_missing_and_is_not_moved(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    job = fill(store, k=30)
    Path(job.samples.url(job.samples.blocks()[0])).write_bytes(b"torn")
    before = snapshot(tmp_path)
    found = estimate(job)
    assert snapshot(tmp_path) == before
    assert (found.stored.damaged, found.stored.held) == (1, (0,) * 16 + (30,) * 4)
    assert found.remaining.samples == 16 * 30
    # Problems without a sample are expected to be like those with samples.
    assert found.remaining.tokens is not None
    assert found.remaining.tokens.expected == pytest.approx(
        480 * np.mean([np.mean(each) for each in counts(20, 30)[16:]])
    )


@pytest.mark.parametrize("budget", [AdaptiveConfig(precision=0.5), SolveConfig(first=1)])
def test_a_budget_in_rounds_is_estimated_for_its_round_and_up_to_k(
    tmp_path: Path, budget: AdaptiveConfig | SolveConfig
) -> None:
    job = sweep_of(FsspecStore(str(tmp_path)), k=100, budget=budget)
    engine = RecordedEngine(InMemory(answers(20, 100)), "recorded by a test")
    rounds = 0
    while True:
        found = estimate(job)
        remaining = job.missing_samples()
        assert (found.remaining.samples, found.remaining.blocks) == (
            sum(block.samples for block in remaining),
            len(remaining),
        )
        assert found.upper_bound is not None
        assert found.upper_bound.samples == 20 * 100 - found.stored.below_k
        if not remaining:
            break
        rounds += 1
        for block in remaining:
            job.draw(block, engine)
        grade(job)
    assert rounds > 1
    assert found.upper_bound.samples > 0, "some problem stops"


def test_estimated_dollars_agree_with_those_of_usage(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    fill(store, k=10)
    job = sweep_of(store, k=100, price=Price(prompt=0.2, completion=0.6))
    remaining = estimate(job).remaining
    assert remaining.tokens is not None
    assert remaining.dollars is not None
    assert remaining.dollars.expected == pytest.approx((0.2 * 1_800 * PROMPT + 0.6 * remaining.tokens.expected) / 1e6)
    assert remaining.dollars.low is not None
    assert remaining.dollars.low < remaining.dollars.expected


def test_tokens_are_not_estimated_if_no_engine_counted_them(tmp_path: Path) -> None:
    job = sweep_of(FsspecStore(str(tmp_path)), problems=2, k=10)
    silent = {
        problem: {index: type(each)(problem, index, each.text) for index, each in of.items()}
        for problem, of in answers(2, 10).items()
    }
    for block in job.missing_samples():
        job.draw(block, RecordedEngine(InMemory(silent), "silent"))
    found = estimate(sweep_of(FsspecStore(str(tmp_path)), problems=2, k=20, price=Price(prompt=0.2, completion=0.6)))
    assert (found.stored.tokens, found.stored.prompt_tokens) == (None, None)
    assert (found.remaining.tokens, found.remaining.dollars, found.remaining.samples) == (None, None, 20)
    assert found.remaining.drawing_s is not None, "the rate in samples is known nevertheless"


def test_the_latest_engines_throughput_gives_the_time(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))

    def drawn_by(version: str, k: int, at: str, seconds: float) -> None:
        job = sweep_of(store, problems=4, k=k)
        (block,) = job.missing_samples()
        samples = [
            answers(4, k)[problem.id][index] for problem in job.selection.problems for index in range(block.start, k)
        ]
        key = f"samples/{job.samples.identity.name}/{block.key}"
        store.write(key, write_samples(samples, key, engine=version, drawn_at=at, seconds=seconds))

    drawn_by("engine 1", 10, "2026-01-01T00:00:10+00:00", 10.0)
    drawn_by("engine 2", 20, "2026-02-01T00:00:10+00:00", 2.0)
    found = estimate(sweep_of(store, problems=4, k=40))
    assert [(each.by, each.samples, each.seconds) for each in found.stored.drawing] == [
        ("engine 1", 40, 10.0),
        ("engine 2", 40, 2.0),
    ]
    latest = found.stored.drawing[-1]
    assert found.remaining.tokens is not None
    assert latest.tokens is not None
    assert found.remaining.drawing_s == pytest.approx(2.0 * found.remaining.tokens.expected / latest.tokens)


@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        ([], 0),
        ([("00:01:00", 30.0), ("00:02:00", 30.0)], 60),
        ([("00:01:00", 30.0), ("00:01:00", 30.0), ("00:01:15", 30.0)], 46),
        ([("00:01:00", 0.25)] * 3, 0.75),
        ([("00:01:00", 60.0), ("00:00:30", 5.0)], 61),
    ],
    ids=[
        "nothing",
        "one after another",
        "at the same second",
        "short ones within a second",
        "one in another",
    ],
)
def test_concurrent_work_counts_once(pieces: list[tuple[str, float]], seconds: float) -> None:
    assert busy_s([(f"2026-01-01T{at}+00:00", took) for at, took in pieces]) == pytest.approx(seconds)
