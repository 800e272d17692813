"""A part of `store.py`: a sweep over a file of recorded samples."""

import cProfile
import json
import pstats
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from results import Result, at_most, report
from store_set import SAMPLES, samples_of, sweep_in

from tasks.engines.checked import CheckedEngine
from tasks.engines.recorded import RecordedConfig
from tasks.store.fsspec_store import FsspecStore


def sweep_over_recorded(folder: Path, problems: int = 4, profiler: cProfile.Profile | None = None) -> Iterator[Result]:
    """CPU time per sample, in µs, of each stage: checking the file, drawing and storing, grading and storing."""
    folder.mkdir(exist_ok=True)
    path = folder / "recorded.jsonl"
    with path.open("w") as file:
        for each in range(problems):
            for sample in samples_of(each, 0, SAMPLES):
                row = {"problem_id": sample.problem_id, "index": sample.index, "text": sample.text}
                file.write(json.dumps(row) + "\n")
    recorded = RecordedConfig(path=str(path))
    sweep = sweep_in(FsspecStore(str(folder / "recorded")), problems)
    with sweep.grading.claims:
        checking = _cpu(lambda: recorded.check(sweep.selection.problems, SAMPLES), profiler)
        with CheckedEngine(recorded.open(), "recorded") as engine:
            missing_blocks = sweep.missing_samples()
            drawing = _cpu(lambda: [sweep.draw(block, engine) for block in missing_blocks], profiler)
        pending = sweep.grading.pending_verdicts()
        grading = _cpu(lambda: [sweep.grading.grade(block, None) for block in pending], profiler)
    for stage, seconds, target in (
        ("read and check", checking, 3.3),
        ("draw and store", drawing, 12.0),
        ("grade final answers", grading, 8.0),
    ):
        microseconds = seconds * 1e6 / (problems * SAMPLES)
        yield Result(
            f"recorded: {stage}, CPU time per sample", microseconds, "µs", target=at_most(microseconds, target, "µs")
        )


def profile(folder: Path) -> int:
    """Print the figures of one sweep, then the profile of another. Returns the exit status of `report`."""
    list(sweep_over_recorded(folder / "imports", problems=1))
    status = report(sweep_over_recorded(folder / "measured"))
    profiler = cProfile.Profile(time.process_time)
    list(sweep_over_recorded(folder / "profiled", profiler=profiler))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    return status


def _cpu(work: Callable[[], object], profiler: cProfile.Profile | None = None) -> float:
    """CPU seconds that a piece of work takes."""
    started = time.process_time()
    if profiler is None:
        work()
    else:
        profiler.runcall(work)
    return time.process_time() - started
