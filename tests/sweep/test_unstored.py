"""Blocks whose samples take much memory are stored in parts, in whatever order the samples come."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import EngineFailedError, UserError
from tasks.records import Request, Sample, Sampling, Turn
from tasks.store.blocks import Block, overlap, split_at_first
from tasks.sweep import unstored
from tasks.sweep.unstored import Unstored
from tests.nothing_to_close import NothingToClose
from tests.sweep.test_sweep import DividesGrader, sweep_of

Name = tuple[str, int]


class OrderedEngine(NothingToClose):
    """Yields the samples in some order, five at a time; fails after `fails_after` of them."""

    version, deterministic, max_concurrent_calls = "ordered 1", True, 1

    def __init__(self, order: Callable[[list[Name]], list[Name]], fails_after: int | None = None) -> None:
        self.order = order
        self.fails_after = fails_after
        self.asked: list[Name] = []

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        names = self.order([(each.problem_id, at) for each in requests for at in range(each.start, each.stop)])
        for start in range(0, len(names), 5):
            if self.fails_after is not None and start >= self.fails_after:
                raise EngineFailedError("it failed")
            self.asked += names[start : start + 5]
            yield [Sample(problem_id, index, text_of(problem_id, index)) for problem_id, index in names[start:][:5]]


def text_of(problem_id: str, index: int) -> str:
    return f"{problem_id} {index} ".ljust(100, "x")


def index_first(names: list[Name]) -> list[Name]:
    return sorted(names, key=lambda name: name[1])


def nearly_in_order(names: list[Name]) -> list[Name]:
    chance = random.Random(0)
    return [name for _, name in sorted((at + chance.uniform(0, 60), name) for at, name in enumerate(names))]


def first_one_last(names: list[Name]) -> list[Name]:
    return [*names[1:], names[0]]


ORDERS = [list, nearly_in_order, index_first, first_one_last]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Parts are stored at about 100 samples; returns how many bytes that is."""
    monkeypatch.setattr(unstored, "MAX_BYTES", 15_000)
    return 15_000


@pytest.mark.parametrize("order", ORDERS)
def test_parts_of_a_block_hold_every_sample_once(tmp_path: Path, small: int, order: Any) -> None:
    sweep, engine = sweep_of(tmp_path, 100, DividesGrader()), OrderedEngine(order)
    stored = [part for block in sweep.missing_samples() for part in sweep.draw(block, engine) or []]
    assert overlap(stored) is None
    assert sorted(stored) == sorted(sweep.samples.stored())
    held = sorted((each.problem_id, each.index, each.text) for part in stored for each in sweep.samples.read(part)[0])
    assert held == [
        (each.id, index, text_of(each.id, index)) for each in sweep.selection.problems for index in range(100)
    ]
    assert sorted(engine.asked) == sorted((each.id, index) for each in sweep.selection.problems for index in range(100))
    assert sweep.missing_samples() == []
    if order in {list, nearly_in_order}:
        assert len(stored) > 10
    else:
        assert len(stored) < 10, "what comes problem by problem alone is stored in large parts"


@pytest.mark.parametrize("order", ORDERS)
def test_an_engine_that_fails_loses_nothing_before_a_gap(tmp_path: Path, small: int, order: Any) -> None:
    sweep, engine = sweep_of(tmp_path, 100, DividesGrader()), OrderedEngine(order, fails_after=900)
    with pytest.raises(EngineFailedError, match="it failed"):
        sweep.draw(sweep.missing_samples()[0], engine)
    drawn = set(engine.asked)
    before_gaps = {
        (each.id, index)
        for each in sweep.selection.problems
        for index in range(next((at for at in range(100) if (each.id, at) not in drawn), 100))
    }
    stored = {(each.problem_id, each.index) for part in sweep.samples.stored() for each in sweep.samples.read(part)[0]}
    assert stored == before_gaps
    engine.fails_after = None
    for block in sweep.missing_samples():
        sweep.draw(block, engine)
    assert sum(block.samples for block in sweep.samples.stored()) == 20 * 100


def test_parts_that_could_not_be_stored_at_first_are_stored_with_the_rest(
    tmp_path: Path, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, engine = sweep_of(tmp_path, 100, DividesGrader()), OrderedEngine(list)
    write, calls = sweep.samples.write, 0

    def fails_once(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise UserError("the disk is full")
        return write(*arguments, **options)

    monkeypatch.setattr(sweep.samples, "write", fails_once)
    with pytest.raises(UserError, match="the disk is full"):
        sweep.draw(sweep.missing_samples()[0], engine)
    stored = {(each.problem_id, each.index) for part in sweep.samples.stored() for each in sweep.samples.read(part)[0]}
    assert stored == set(engine.asked)


def test_parts_took_the_time_of_the_draw_together(tmp_path: Path, small: int) -> None:
    sweep, engine = sweep_of(tmp_path, 100, DividesGrader()), OrderedEngine(list)
    wait = engine.sample

    def slowly(requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        time.sleep(0.3)
        yield from wait(requests, sampling)

    engine.sample = slowly  # type: ignore[method-assign]
    block = sweep.missing_samples()[0]
    assert len(sweep.draw(block, engine) or []) > 1
    first, second, *_ = sorted((each.seconds for each in sweep.samples.stored().values()), reverse=True)
    assert first == second >= 0.3, "concurrent pieces of work count once in what the set took"


@pytest.mark.parametrize("turns", [(), (Turn("tool", "x" * 100),)])
def test_samples_in_order_are_never_held_beyond_the_bound(small: int, turns: tuple[Turn, ...]) -> None:
    block, most = Block(0, 100, 0, 16), 0
    waiting = Unstored(block, [f"p{number}" for number in range(16)])
    parts = []
    for number in range(16):
        for index in range(100):
            waiting.add([Sample(f"p{number}", index, "x" * 100 if not turns else "", turns=turns)])
            most = max(most, len(waiting))
            parts += waiting.take_leading()
    parts += waiting.take_all()
    assert most <= small // 100
    assert sum(len(part.samples) for part in parts) == sum(part.block.samples for part in parts) == block.samples


def test_samples_out_of_order_are_looked_through_a_few_times_only(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    split = split_at_first

    def counted(*arguments: Any) -> Any:
        looked.append(arguments)
        return split(*arguments)

    monkeypatch.setattr(unstored, "split_at_first", counted)
    waiting = Unstored(Block(0, 1_000, 0, 16), [f"p{number}" for number in range(16)])
    for number in range(16):
        for index in range(1, 1_000):
            waiting.add([Sample(f"p{number}", index, "x" * 100)])
            assert waiting.take_leading() == []
    assert 5 < len(looked) < 12


_PEAK = """
from flows.config.sweep import SweepConfig
from flows.setup.sweep import prepare
from tasks.sweep import unstored
unstored.MAX_BYTES = 8 << 20
config = SweepConfig.model_validate({{
    "dataset": {{"name": "custom", "path": "{folder}/problems.jsonl"}},
    "engine": {{"name": "recorded", "path": "{folder}/samples.jsonl"}},
    "grader": "final_answer",
    "k": {k},
    "store": "{folder}/runs",
}})
job = prepare(config)
with job.grading.claims, config.engine.open() as engine:
    for block in job.missing_samples():
        job.draw(block, engine)
    for block in job.grading.pending_verdicts():
        job.grading.grade(block, None)
assert job.results().tally.verdicts == {{"correct": 16 * {k}}}
print(open("/proc/self/status").read())
"""


def peak_kb(folder: Path, length: int, k: int) -> int:
    folder.mkdir()
    chance = random.Random(0)
    with (folder / "samples.jsonl").open("w") as file:
        for problem in range(16):
            for index in range(k):
                text = f"{chance.randbytes(length // 2).hex()} #### 1"
                file.write(json.dumps({"problem_id": f"p{problem}", "index": index, "text": text}) + "\n")
    (folder / "problems.jsonl").write_text(
        "".join(f'{{"id": "p{problem}", "question": "?", "answer": "1"}}\n' for problem in range(16))
    )
    done = subprocess.run(
        [sys.executable, "-c", _PEAK.format(folder=folder, k=k)], capture_output=True, text=True, check=True
    )
    return next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM"))


@pytest.mark.slow
def test_memory_to_draw_and_grade_does_not_grow_with_the_length_of_texts(tmp_path: Path) -> None:
    """A block of 24 MB, already more than what may be held at once, and one of 96 MB."""
    shorter, longer = (peak_kb(tmp_path / str(length), length, 100) for length in (15_000, 60_000))
    assert longer - shorter < 30_000
