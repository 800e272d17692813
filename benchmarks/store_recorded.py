"""Section of `store.py`: a sweep over a file of recorded samples."""

import cProfile
import json
import pstats
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from store_set import SAMPLES, Row, samples_of, sweep_in

from tasks.engines.checked import CheckedEngine
from tasks.engines.recorded import RecordedConfig
from tasks.store.fsspec_store import FsspecStore


def of_recorded(folder: Path, number: int = 4, profiler: cProfile.Profile | None = None) -> Iterator[Row]:
    """CPU time a sample, in µs, of a sweep over a file of recorded samples: reading and checking the file, drawing and
    storing, grading and storing."""
    folder.mkdir(exist_ok=True)
    path = folder / "recorded.jsonl"
    with path.open("w") as file:
        for each in range(number):
            for sample in samples_of(each, 0, SAMPLES):
                row = {"problem_id": sample.problem_id, "index": sample.index, "text": sample.text}
                file.write(json.dumps(row) + "\n")
    recorded = RecordedConfig(path=str(path))
    sweep = sweep_in(FsspecStore(str(folder / "recorded")), number)
    with sweep.grading.claims:
        checking = _cpu(lambda: recorded.check(sweep.selection.problems, SAMPLES), profiler)
        with CheckedEngine(recorded.open(), "recorded") as engine:
            missing_blocks = sweep.missing_samples()
            drawing = _cpu(lambda: [sweep.draw(block, engine) for block in missing_blocks], profiler)
        pending = sweep.grading.pending_verdicts()
        grading = _cpu(lambda: [sweep.grading.grade(block, None) for block in pending], profiler)
    samples = number * SAMPLES / 1e6
    yield Row("recorded: read and check, CPU time a sample", checking / samples, None, "µs", most=3.3)
    yield Row("recorded: draw and store, CPU time a sample", drawing / samples, None, "µs", most=12)
    yield Row("recorded: grade final answers, CPU time a sample", grading / samples, None, "µs", most=8)


def profile(folder: Path) -> None:
    """Print the figures of a sweep over recorded samples, and, of another, what it spends its CPU time on."""
    list(of_recorded(folder / "imports", 1))
    print(*of_recorded(folder / "measured"), sep="\n")
    profiler = cProfile.Profile(time.process_time)
    list(of_recorded(folder / "profiled", profiler=profiler))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def _cpu(work: Callable[[], object], profiler: cProfile.Profile | None = None) -> float:
    """CPU seconds that a piece of work takes."""
    started = time.process_time()
    if profiler is None:
        work()
    else:
        profiler.runcall(work)
    return time.process_time() - started
