"""The store next to its rivals: one YAML file a problem (as the paper's code keeps its results), and JSON lines.

    python benchmarks/store.py                  128 problems × 10,000 samples
    python benchmarks/store.py --scale 0.125    16 problems × 10,000 samples
    python benchmarks/store.py --recorded       only a sweep over 4 × 10,000 recorded samples, with its profile

Every figure of the store is measured on all of that. The rivals are measured on a few problems of the same text, and
their sizes and times are multiplied by the number of problems, to which they are proportional: a file a problem, a line
a sample. Times and memory of the store are never multiplied: where --scale is below 1 they say so, and so does the exit
code, which is 0 only where every target holds at full scale.

The text is that of `store_set.py`: see how much smaller the store makes it, printed first.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from store_recorded import of_recorded, profile
from store_set import SAMPLES, Row, problem_of, samples_of, sweep_in

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tasks.records import GradedSample, Sample, Verdict
from tasks.store.blocks import Block, missing
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.export import export
from tasks.store.inspect.integrity import check
from tasks.store.inspect.query import annotated_blocks, select
from tasks.store.samples import LAYOUT, SampleFooter, checksum, read_sample_table
from tasks.sweep.sweep import Sweep
from tests.servers import s3_server

PROBLEMS = 128
PURE_PYTHON_SAMPLES = 200
VERDICTS = [Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.ERROR]


def verdicts_on(samples: list[Sample]) -> list[GradedSample]:
    """Some verdict on each."""
    chance = random.Random(samples[0].index)
    given = chance.choices(VERDICTS, [20, 60, 15, 5], k=len(samples))
    return [GradedSample(each.problem_id, each.index, verdict) for each, verdict in zip(samples, given, strict=True)]


def fill(sweep: Sweep) -> float:
    """Write a full set; returns the seconds that the store took, without those for making text."""
    seconds = 0.0
    for block in missing([], range(len(sweep.selection.problems)), SAMPLES):
        numbers = range(block.first, block.last)
        drawn = [each for number in numbers for each in samples_of(number, block.start, block.stop)]
        graded_samples, graded = verdicts_on(drawn), checksum(LAYOUT.to_table(drawn))
        started = time.monotonic()
        sweep.samples.write(block, sweep.selection.problems[block.first : block.last], drawn, "benchmark", 0.0)
        sweep.grading.verdicts.write(block, graded_samples, samples_checksum=graded, made_by="none", seconds=0.0)
        seconds += time.monotonic() - started
        print(f"\r... {block} written   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return seconds


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


class Rival(NamedTuple):
    """Seconds and megabytes for all problems, from a few."""

    write: float
    read: float
    megabytes: float


def rivals(folder: Path, few: int, problems: int) -> tuple[Rival, Rival, Rival]:
    """YAML by libyaml, YAML in pure Python (on a part of one problem), JSON lines."""
    folder.mkdir()
    texts = {
        number: [each for start in range(0, SAMPLES, 1_000) for each in samples_of(number, start, start + 1_000)]
        for number in range(few)
    }
    part = {0: texts[0][:PURE_PYTHON_SAMPLES]}
    whole = problems / few
    return (
        _rival(folder, texts, whole, _yaml_writer(yaml.CSafeDumper), _yaml_reader(yaml.CSafeLoader)),
        _rival(
            folder,
            part,
            problems * SAMPLES / PURE_PYTHON_SAMPLES,
            _yaml_writer(yaml.SafeDumper),
            _yaml_reader(yaml.SafeLoader),
        ),
        _rival(folder, texts, whole, _write_jsonl, _read_jsonl),
    )


def _rival(
    folder: Path,
    texts: dict[int, list[Sample]],
    whole: float,
    write: Callable[[Path, list[Sample], list[GradedSample]], None],
    read: Callable[[Path], object],
) -> Rival:
    seconds_write = seconds_read = size = 0.0
    for number, samples in texts.items():
        path, graded_samples = folder / f"{number}", verdicts_on(samples)
        seconds_write += timed(lambda: write(path, samples, graded_samples))  # noqa: B023 - called at once
        seconds_read += timed(lambda: read(path))  # noqa: B023
        size += path.stat().st_size / 1e6
    return Rival(seconds_write * whole, seconds_read * whole, size * whole)


def _yaml_writer(dumper: Any) -> Callable[[Path, list[Sample], list[GradedSample]], None]:
    def write(path: Path, samples: list[Sample], graded_samples: list[GradedSample]) -> None:
        document = {
            "name": samples[0].problem_id,
            "samples": [sample.text for sample in samples],
            "is_corrects": [graded.verdict is Verdict.CORRECT for graded in graded_samples],
        }
        with path.open("w") as file:
            yaml.dump(document, file, Dumper=dumper, sort_keys=True)

    return write


def _yaml_reader(loader: Any) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        with path.open() as file:
            return yaml.load(file, Loader=loader)

    return read


def _write_jsonl(path: Path, samples: list[Sample], graded_samples: list[GradedSample]) -> None:
    with path.open("w") as file:
        for sample, graded in zip(samples, graded_samples, strict=True):
            row = {"problem_id": sample.problem_id, "index": sample.index, "text": sample.text}
            row |= {"tokens": sample.tokens, "logprob": sample.logprob, "finish_reason": sample.finish_reason}
            file.write(json.dumps(row | {"verdict": graded.verdict}) + "\n")


def _read_jsonl(path: Path) -> object:
    with path.open() as file:
        return [json.loads(line) for line in file]


def read_everything(sweep: Sweep) -> int:
    """Every sample and verdict as Arrow columns, each block checked against its checksum, two blocks at a time."""

    def read(item: tuple[Block, SampleFooter]) -> int:
        block, footer = item
        key = f"samples/{sweep.samples.identity.name}/{block.key}"
        table, _ = read_sample_table(sweep.samples.store.read(key), key)
        verdicts, _ = sweep.grading.verdicts.columns(block, footer, ("index", "verdict", "detail", "cpu_s"))
        return min(int(table.num_rows), int(verdicts.num_rows))

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(read, sweep.samples.stored().items()))


def read_as_objects(sweep: Sweep) -> int:
    """Every sample as a Python object, one block at a time."""
    return sum(len(sweep.samples.read(block)[0]) for block in sweep.samples.stored())


def decide(sweep: Sweep) -> None:
    """Is anything missing? In a full set, nothing is."""
    if sweep.missing_samples() or sweep.grading.pending_verdicts():
        sys.exit("the set is not full")


def raw_bytes(sweep: Sweep) -> tuple[int, int]:
    """Bytes of text in the largest block, and in as many as there are, by the first problems' text."""
    a_sample = sum(len(each.text.encode()) for number in range(4) for each in samples_of(number, 0, 500)) / 2_000
    largest = max(block.samples for block in sweep.samples.blocks())
    return int(a_sample * largest), int(a_sample * len(sweep.selection.problems) * SAMPLES)


def measure_memory(what: str, store: FsspecStore, problems: int, folder: Path) -> None:
    """In a separate process: print how far its memory rose above what it had with all libraries at work, in MB."""
    sweep = sweep_in(store, problems)
    stored = find(store, sweep.samples.identity.name)
    first = next(annotated_blocks(store, stored, stored.graded_by(None)))
    for suffix in (".parquet", ".jsonl"):
        export([first], folder / f"first{suffix}")
    del first
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _memory("VmRSS")
    if what == "tally":
        _ = sweep.results().tally
    elif what == "check":
        if found := list(check(store, stored)):
            sys.exit(f"the set is not sound: {found[0]}")
    else:
        export(annotated_blocks(store, stored, stored.graded_by(None)), folder / f"exported.{what}")
    print(_memory("VmHWM") - before)


def _memory(field: str) -> float:
    """What Linux says of this process, in MB."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(field))
    return int(line.split()[1]) * 1.024e-3


def memory_of(what: str, folder: Path, problems: int) -> tuple[float, float]:
    """Peak memory (MB) and seconds, imports included."""
    command = [sys.executable, __file__, "--folder", str(folder), "--problems", str(problems), "--memory-of", what]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout), time.monotonic() - started


def on_s3(folder: Path, problems: int) -> Iterator[Row]:
    """Requests and bytes, which do not depend on how far away the server is."""
    with s3_server(folder / "s3") as s3:
        (s3.root / "bucket").mkdir()
        (folder / "runs").rename(s3.root / "bucket" / "runs")
        options = {
            "key": s3.environment["AWS_ACCESS_KEY_ID"],
            "secret": s3.environment["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": s3.environment["AWS_ENDPOINT_URL"],
        }
        store = FsspecStore("s3://bucket/runs", **options)
        sent: list[tuple[str, str]] = []
        client: Any = store._fs
        client.connect()
        client.s3.meta.events.register(
            "before-call.s3", lambda params, model, **_: sent.append((model.name, params["headers"].get("Range", "")))
        )
        sweep = sweep_in(store, problems)
        seconds = timed(sweep.missing_samples)
        yield Row("S3: which samples are missing: listings", _listings(sent), None, "", most=_pages(problems))
        yield Row("S3: which samples are missing", seconds, None, "s")
        sent.clear()
        sweep.grading.pending_verdicts()
        yield Row(
            "S3: which verdicts are missing: listings, 2 prefixes", _listings(sent), None, "", most=2 * _pages(problems)
        )
        stored = find(store, sweep.samples.identity.name)
        sent.clear()
        last = problem_of(problems - 1).id
        next(select(store, stored, stored.graded_by(None), problem=last, index=SAMPLES - 1))
        fetched = sum(_length(range_) for name, range_ in sent if name == "GetObject") / 1e6
        yield Row(
            f"S3: one sample of {problems * SAMPLES:,}: fetched", fetched, stored.objects.bytes / 1e6, "MB", most=2
        )
        (s3.root / "bucket" / "runs").rename(folder / "runs")


def _listings(sent: list[tuple[str, str]]) -> int:
    return sum(name.startswith("ListObjects") for name, _ in sent)


def _pages(problems: int) -> int:
    """How many answers one listing of all blocks needs, at 1,000 keys an answer."""
    return -(-(len(missing([], range(problems), SAMPLES)) + 1) // 1_000)


def _length(range_: str) -> int:
    first, last = range_.removeprefix("bytes=").split("-")
    return int(last) - int(first) + 1


def compare(folder: Path, problems: int, few: int) -> list[Row]:
    """Every figure."""
    store = FsspecStore(str(folder / "runs"))
    sweep = sweep_in(store, problems)
    written = fill(sweep)
    in_yaml, in_slow_yaml, in_jsonl = rivals(folder / "rivals", few, problems)
    size = sum(store.sizes("").values()) / 1e6
    block, text = (number / 1e6 for number in raw_bytes(sweep))
    print(f"text: {text:,.0f} MB; the store keeps it in {size:,.0f} MB, 1 : {text / size:.1f}")
    everything, tally = timed(lambda: read_everything(sweep)), timed(lambda: sweep.results().tally)
    objects, decision = timed(lambda: read_as_objects(sweep)), timed(lambda: decide(sweep))
    rows = [
        Row("size against YAML", size, in_yaml.megabytes, "MB", least_ratio=3),
        Row("size against JSONL", size, in_jsonl.megabytes, "MB"),
        Row("write, against YAML by libyaml", written, in_yaml.write, "s"),
        Row("write, against JSONL", written, in_jsonl.write, "s"),
        Row("read all, against YAML in pure Python", everything, in_slow_yaml.read, "s", least_ratio=30),
        Row("read all, against YAML by libyaml", everything, in_yaml.read, "s"),
        Row("read all, against JSONL", everything, in_jsonl.read, "s"),
        Row("read all into Python objects, against libyaml", objects, in_yaml.read, "s"),
        Row("read and count all verdicts, against libyaml", tally, in_yaml.read, "s", least_ratio=30, most=1),
        Row("decide that nothing is missing", decision, None, "s", most=2),
    ]
    rows += of_recorded(folder)
    for what in ("tally", "check", "parquet", "jsonl"):
        peak, seconds = memory_of(what, folder, problems)
        name = f"export to {what}" if what in ("parquet", "jsonl") else what
        rows += [
            Row(f"{name}: peak memory, in blocks of {block:.0f} MB", peak / block, None, "", most=8),
            Row(f"{name}: time, imports included", seconds, None, "s"),
        ]
    return rows + list(on_s3(folder, problems))


def main() -> int:
    """Measure, print, and say whether every target holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the 128 problems, in steps of 1/8")
    parser.add_argument("--rivals", type=int, default=4, help="problems on which the rivals are measured")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--problems", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", choices=["tally", "check", "parquet", "jsonl"], help=argparse.SUPPRESS)
    parser.add_argument("--recorded", action="store_true", help="only a sweep over recorded samples, with its profile")
    arguments = parser.parse_args()
    if arguments.recorded:
        with tempfile.TemporaryDirectory() as name:
            profile(Path(name))
        return 0
    if arguments.memory_of:
        store = FsspecStore(str(arguments.folder / "runs"))
        measure_memory(arguments.memory_of, store, arguments.problems, arguments.folder)
        return 0
    problems = max(16, round(PROBLEMS * arguments.scale / 16) * 16)
    with tempfile.TemporaryDirectory() as name:
        rows = compare(Path(name), problems, arguments.rivals)
    print(f"{problems} problems × {SAMPLES:,} samples; rivals measured on {arguments.rivals} problems and multiplied")
    print(f"\n{'figure':<52}{'store':>10}{'rival':>12}{'ratio':>11}  {'':<4}{'target':>9}  holds")
    print(*rows, sep="\n")
    if problems < PROBLEMS:
        print(f"\nmeasured on {problems} of {PROBLEMS} problems: times and memory of the store are those of that part")
    return 0 if all(row.holds for row in rows) and problems == PROBLEMS else 1


if __name__ == "__main__":
    sys.exit(main())
