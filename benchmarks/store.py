"""The store, compared with one YAML file per problem (as the paper's code keeps its results) and with JSON Lines.

    python benchmarks/store.py                  128 problems × 10,000 samples
    python benchmarks/store.py --scale 0.125    16 problems × 10,000 samples
    python benchmarks/store.py --recorded       only a sweep over 4 × 10,000 recorded samples, with its profile

All figures of the store are measured at the full size. The rivals are measured on a few problems with the same text,
and their sizes and times are extrapolated to all problems: both are proportional, with one file per problem or one line
per sample. Ratios are the rival's figure over the store's. With --scale below 1, the store's figures are those of the
smaller set, and the exit status is always 1. Otherwise the script exits with 1 if a target is missed.

The text is made by `store_set.py`. How much of its size remains after compression is printed first.
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
from results import Result, at_least, at_most, report
from store_recorded import profile, sweep_over_recorded
from store_set import SAMPLES, problem_of, samples_of, sweep_in

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tasks.records import GradedSample, Sample, Verdict
from tasks.store.blocks import Block, missing
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.export import export
from tasks.store.inspect.integrity import check
from tasks.store.inspect.query import annotated_blocks, select
from tasks.store.sample_layout import LAYOUT, SampleFooter
from tasks.store.samples import checksum, read_sample_table
from tasks.sweep.sweep import Sweep
from tests.servers import s3_server

PROBLEMS = 128
PURE_PYTHON_SAMPLES = 200
VERDICTS = [Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.ERROR]


def verdicts_on(samples: list[Sample]) -> list[GradedSample]:
    """A random verdict on each sample."""
    chance = random.Random(samples[0].index)
    given = chance.choices(VERDICTS, [20, 60, 15, 5], k=len(samples))
    return [GradedSample(each.problem_id, each.index, verdict) for each, verdict in zip(samples, given, strict=True)]


def fill(sweep: Sweep) -> float:
    """Write a full set. Returns the seconds that the store took, excluding the time to generate text."""
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
    """Wall-clock seconds that a piece of work takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


class Rival(NamedTuple):
    """Seconds and megabytes for all problems, extrapolated from a few."""

    write: float
    read: float
    megabytes: float


def rivals(folder: Path, few: int, problems: int) -> tuple[Rival, Rival, Rival]:
    """YAML by libyaml, YAML in pure Python (measured on a part of one problem), and JSON Lines."""
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
    """Read all samples and verdicts as Arrow columns, verifying the checksum of each block, two blocks at a time."""

    def read(item: tuple[Block, SampleFooter]) -> int:
        block, footer = item
        key = f"samples/{sweep.samples.identity.name}/{block.key}"
        table, _ = read_sample_table(sweep.samples.store.read(key), key)
        verdicts, _ = sweep.grading.verdicts.columns(block, footer, ("index", "verdict", "detail", "cpu_s"))
        return min(int(table.num_rows), int(verdicts.num_rows))

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(read, sweep.samples.stored().items()))


def read_as_objects(sweep: Sweep) -> int:
    """Read all samples as Python objects, one block at a time."""
    return sum(len(sweep.samples.read(block)[0]) for block in sweep.samples.stored())


def decide(sweep: Sweep) -> None:
    """Find out that nothing is missing or pending. Exits if something is, because the set should be full."""
    if sweep.missing_samples() or sweep.grading.pending_verdicts():
        sys.exit("the set is not full")


def raw_bytes(sweep: Sweep) -> tuple[int, int]:
    """Bytes of text in the largest block and in the whole set, estimated from the text of the first problems."""
    a_sample = sum(len(each.text.encode()) for number in range(4) for each in samples_of(number, 0, 500)) / 2_000
    largest = max(block.samples for block in sweep.samples.blocks())
    return int(a_sample * largest), int(a_sample * len(sweep.selection.problems) * SAMPLES)


def measure_memory(what: str, store: FsspecStore, problems: int, folder: Path) -> None:
    """Print the peak memory of a task, in MB above what this process used before, with all libraries loaded and warm.

    Runs in a separate process, which `memory_of` starts.
    """
    sweep = sweep_in(store, problems)
    stored = find(store, sweep.samples.identity.name)
    first = next(annotated_blocks(store, stored, stored.graded_by(None)))
    for suffix in (".parquet", ".jsonl"):
        export([first], folder / f"first{suffix}")
    del first
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _memory("VmRSS")
    if what == "tally":
        _ = sweep.results().tally
    elif what == "check":
        if found := list(check(store, stored)):
            sys.exit(f"the set is damaged: {found[0]}")
    else:
        export(annotated_blocks(store, stored, stored.graded_by(None)), folder / f"exported.{what}")
    print(_memory("VmHWM") - before)


def _memory(field: str) -> float:
    """A field of this process's `/proc/self/status`, in MB."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(field))
    return int(line.split()[1]) * 1.024e-3


def memory_of(what: str, folder: Path, problems: int) -> tuple[float, float]:
    """Peak memory (MB) and wall-clock seconds of a task, including imports."""
    command = [sys.executable, __file__, "--folder", str(folder), "--problems", str(problems), "--memory-of", what]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout), time.monotonic() - started


def on_s3(folder: Path, problems: int) -> Iterator[Result]:
    """Numbers of requests and bytes, which do not depend on the network."""
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
        listings, pages = _listings(sent), _pages(problems)
        yield Result("S3: find missing samples: listings", listings, target=at_most(listings, pages))
        yield Result("S3: find missing samples", seconds, "s")
        sent.clear()
        sweep.grading.pending_verdicts()
        listings = _listings(sent)
        yield Result("S3: find pending verdicts: listings, 2 prefixes", listings, target=at_most(listings, 2 * pages))
        stored = find(store, sweep.samples.identity.name)
        sent.clear()
        last = problem_of(problems - 1).id
        next(select(store, stored, stored.graded_by(None), problem=last, index=SAMPLES - 1))
        fetched = sum(_length(range_) for name, range_ in sent if name == "GetObject") / 1e6
        whole = stored.objects.bytes / 1e6
        figure = f"S3: read one sample of {problems * SAMPLES:,} / the whole set"
        yield Result(figure, fetched, "MB", whole, whole / fetched, at_most(fetched, 2, "MB"))
        (s3.root / "bucket" / "runs").rename(folder / "runs")


def _listings(sent: list[tuple[str, str]]) -> int:
    return sum(name.startswith("ListObjects") for name, _ in sent)


def _pages(problems: int) -> int:
    """The number of responses that list all blocks, at 1,000 keys per response."""
    return -(-(len(missing([], range(problems), SAMPLES)) + 1) // 1_000)


def _length(range_: str) -> int:
    first, last = range_.removeprefix("bytes=").split("-")
    return int(last) - int(first) + 1


def compared(figure: str, ours: float, unit: str, rival: float, target: float | None = None) -> Result:
    """A figure and a rival's, with the lowest ratio that is good enough."""
    ratio = rival / ours
    return Result(figure, ours, unit, rival, ratio, None if target is None else at_least(ratio, target))


def compare(folder: Path, problems: int, few: int) -> list[Result]:
    """Measure all figures."""
    store = FsspecStore(str(folder / "runs"))
    sweep = sweep_in(store, problems)
    written = fill(sweep)
    in_yaml, in_slow_yaml, in_jsonl = rivals(folder / "rivals", few, problems)
    size = sum(store.sizes("").values()) / 1e6
    block, text = (number / 1e6 for number in raw_bytes(sweep))
    print(f"text: {text:,.0f} MB; in the store: {size:,.0f} MB, {text / size:.1f} times smaller")
    everything, tally = timed(lambda: read_everything(sweep)), timed(lambda: sweep.results().tally)
    objects, decision = timed(lambda: read_as_objects(sweep)), timed(lambda: decide(sweep))
    results = [
        compared("size, against YAML", size, "MB", in_yaml.megabytes, 3),
        compared("size, against JSON Lines", size, "MB", in_jsonl.megabytes),
        compared("write, against YAML by libyaml", written, "s", in_yaml.write),
        compared("write, against JSON Lines", written, "s", in_jsonl.write),
        compared("read all, against YAML in pure Python", everything, "s", in_slow_yaml.read, 30),
        compared("read all, against YAML by libyaml", everything, "s", in_yaml.read),
        compared("read all, against JSON Lines", everything, "s", in_jsonl.read),
        compared("read all into Python objects, against YAML by libyaml", objects, "s", in_yaml.read),
        compared("read and count all verdicts, against YAML by libyaml", tally, "s", in_yaml.read, 30),
        Result("read and count all verdicts", tally, "s", target=at_most(tally, 1, "s")),
        Result("decide that nothing is missing", decision, "s", target=at_most(decision, 2, "s")),
    ]
    results += sweep_over_recorded(folder)
    for what in ("tally", "check", "parquet", "jsonl"):
        peak, seconds = memory_of(what, folder, problems)
        name = f"export to {what}" if what in ("parquet", "jsonl") else what
        results += [
            Result(f"{name}: peak memory, in blocks of {block:.0f} MB", peak / block, target=at_most(peak / block, 8)),
            Result(f"{name}: time, including imports", seconds, "s"),
        ]
    return results + list(on_s3(folder, problems))


def main() -> int:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the 128 problems, in steps of 1/8")
    parser.add_argument("--rivals", type=int, default=4, help="number of problems to measure the rivals on")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--problems", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", choices=["tally", "check", "parquet", "jsonl"], help=argparse.SUPPRESS)
    parser.add_argument("--recorded", action="store_true", help="only a sweep over recorded samples, with its profile")
    arguments = parser.parse_args()
    if arguments.recorded:
        with tempfile.TemporaryDirectory() as name:
            return profile(Path(name))
    if arguments.memory_of:
        store = FsspecStore(str(arguments.folder / "runs"))
        measure_memory(arguments.memory_of, store, arguments.problems, arguments.folder)
        return 0
    problems = max(16, round(PROBLEMS * arguments.scale / 16) * 16)
    with tempfile.TemporaryDirectory() as name:
        results = compare(Path(name), problems, arguments.rivals)
    print(f"{problems} problems × {SAMPLES:,} samples; rivals extrapolated from {arguments.rivals} problems")
    status = report(results)
    if problems < PROBLEMS:
        print(f"measured on {problems} of {PROBLEMS} problems, so the exit status is 1 whether or not targets were met")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
