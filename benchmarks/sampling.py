"""Sampling through the whole sweep against the bare engine, on the same prompts.

    python benchmarks/sampling.py [direct http overlap embedded memory] [--vllm-python .venv-vllm/bin/python]
                                  [--problems 64] [--samples 256] [--rounds 3]

`direct`: tokens a second of a sweep with the engine `vllm` against `vllm.LLM.generate`. `http`: of a sweep with the
engine `openai` against a plain asynchronous client, on one server. A sweep is the whole flow: Prefect, store,
verification in the sandbox, report. Loading the model counts on neither side; Prefect's start is said apart. The two
take turns, and the ratio is the median of those of the turns; both must draw the same tokens, sample for sample.
`overlap`: a sweep whose drawing and grading take about as long, each on its own core, against the slower of the
two alone. `embedded`: `engines.py`. `memory`: the sweep's peak at ten times the k. Ends 0 where every target holds, 1
where one does not; what is not installed is left out, and said.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.config.sweep import SweepConfig
from flows.setup.sweep import build_sweep
from tasks.engines.onnx import OnnxConfig
from tasks.engines.seeds import base_seed

HERE = Path(__file__).resolve().parent
PARTS = ("direct", "http", "overlap", "embedded", "memory")
MODEL = "programs"
START_LIMIT_S = 300


class Row(NamedTuple):
    """One line of the table: a figure against its rival's, and what their ratio should be; times in seconds."""

    figure: str
    ours: str
    rival: str
    ratio: float
    target: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def config(folder: Path, engine: dict[str, Any], **fields: Any) -> SweepConfig:
    """A sweep of the bundled model on its problems, into an empty store."""
    store = tempfile.mkdtemp(dir=folder, prefix="runs-")
    return SweepConfig.model_validate({"dataset": MODEL, "engine": engine, "store": store, **fields})


def ran(script: str, *arguments: str, given: str, python: str = sys.executable, **environment: str) -> dict[str, Any]:
    """The last line that a script next to this one prints; ends this one where it fails."""
    command = [python, str(HERE / script), *arguments]
    done = subprocess.run(
        command, input=given, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {script} {' '.join(arguments)}: {told(found)}", file=sys.stderr, flush=True)
    return found


def told(found: dict[str, Any]) -> str:
    """A measurement in one line."""
    return ", ".join(f"{name} {value:,.6g}" for name, value in found.items() if value is not None)


def sweep(folder: Path, chosen: SweepConfig, mode: str = "sweep") -> dict[str, Any]:
    """Run a sweep, or a stage of it, in a separate process."""
    return ran("sampling_sweep.py", mode, given=chosen.model_dump_json(), PREFECT_HOME=str(folder / "prefect"))


def bare_task(chosen: SweepConfig, most: int) -> dict[str, Any]:
    """What a sweep asks its engine for, as the rivals take it: a bounded number of samples per request."""
    job = build_sweep(chosen)
    requests = [
        {"prompt": job.prompt_of(problem), "n": min(most, chosen.k - at), "seed": base_seed(0, problem.id) + at}
        for problem in job.selection.problems
        for at in range(0, chosen.k, most)
    ]
    of = job.sampling
    drawn = {"temperature": of.temperature, "top_p": of.top_p, "max_tokens": of.max_tokens, "stop": list(of.stop)}
    return {"requests": requests, "sampling": drawn}


def compared(figure: str, turns: list[tuple[dict[str, Any], dict[str, Any]]], target: float) -> Row:
    """Tokens a second of ours against the rival's, turn by turn."""
    for ours, rival in turns:
        if ours["samples"] != rival["samples"]:
            sys.exit(f"{figure}: {ours['samples']} samples against {rival['samples']}")
        if ours["tokens"] != rival["tokens"]:
            print(f"{figure}: {ours['tokens']:,} tokens against {rival['tokens']:,}: not the same samples")
    rates = [[each["tokens"] / each["seconds"] for each in turn] for turn in turns]
    ours, rival = (median(of) for of in zip(*rates, strict=True))
    started = median(turn[0]["prefect_s"] for turn in turns)
    print(f"{figure}: Prefect's start took another {started:.1f} s")
    return Row(figure, f"{ours:,.0f}", f"{rival:,.0f}", median(a / b for a, b in rates), target)


def direct(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """A sweep with the engine `vllm` against `LLM.generate`."""
    from tasks.engines.supervised import vllm_process

    model = str(OnnxConfig(model=MODEL).folder)
    engine = {"name": "vllm", "model": model, "python": arguments.vllm_python}
    size = {"problems": arguments.problems, "k": arguments.samples}
    installed = vllm_process.installation(arguments.vllm_python)
    bare = bare_task(config(folder, engine, **size), most=arguments.samples)
    own = {"model": model, "disable_log_stats": True}
    own |= {"distributed_executor_backend": "uni"} if installed.on_cpu else {}
    bare["arguments"] = vllm_process.arguments(installed, own, {})
    environment = vllm_process.environment(installed, local_model=True, one_process=True)
    turns = []
    for _ in range(arguments.rounds):
        rival = ran("sampling_raw.py", given=json.dumps(bare), python=arguments.vllm_python, **environment)
        turns.append((sweep(folder, config(folder, engine, **size)), rival))
    return [compared("sweep with vllm / LLM.generate, tokens/s", turns, 0.95), *kept_busy(turns)]


def kept_busy(turns: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[Row]:
    """The same without what else this machine does: the engine's own CPU time for the same tokens, and whether it ever
    lacked work while the sweep drew."""
    if any("engine_cpu_s" not in ours for ours, _ in turns):
        return []
    rates = [[each["tokens"] / each["engine_cpu_s"] for each in turn] for turn in turns]
    ours, rival = (median(of) for of in zip(*rates, strict=True))
    shares = [(ours["engine_cpu_s"] + ours["engine_waited_s"], ours["drawing_s"]) for ours, _ in turns]
    busy, drawing = (median(of) for of in zip(*shares, strict=True))
    return [
        Row(
            "vllm in a sweep / alone, tokens/CPU-s",
            f"{ours:,.0f}",
            f"{rival:,.0f}",
            median(a / b for a, b in rates),
            0.95,
        ),
        Row(
            "vllm had work / the sweep drew",
            f"{busy:.1f} s",
            f"{drawing:.1f} s",
            median(a / b for a, b in shares),
            0.95,
        ),
    ]


def http(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """A sweep with the engine `openai` against `httpx` and `gather`, on one server."""
    size = {"problems": arguments.problems, "k": arguments.samples}
    turns = []
    with server(folder, arguments.vllm_python) as url:
        engine = {"name": "openai", "model": MODEL, "base_urls": url}
        bare = bare_task(config(folder, engine, **size), most=32)
        bare |= {"url": url, "model": MODEL}
        for _ in range(arguments.rounds):
            rival = ran("sampling_raw.py", given=json.dumps(bare), python=arguments.vllm_python)
            turns.append((sweep(folder, config(folder, engine, **size)), rival))
    return [compared("sweep over HTTP / httpx and gather, tokens/s", turns, 0.9)]


@contextmanager
def server(folder: Path, python: str) -> Iterator[str]:
    """vLLM's server with the bundled model; yields the URL of its API."""
    from tasks.engines.supervised import vllm_process

    installed = vllm_process.installation(python)
    own = {"model": str(OnnxConfig(model=MODEL).folder), "served_model_name": MODEL}
    options = []
    for name, value in vllm_process.arguments(installed, own, {}).items():
        flag = name.replace("_", "-")
        options += [f"--{flag}" if value is True else f"--no-{flag}"] if isinstance(value, bool) else []
        options += [] if isinstance(value, bool) else [f"--{flag}", str(value)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port), *options]
    environment = vllm_process.environment(installed, local_model=True, one_process=False)
    log = folder / "server.log"
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, env=environment) as process:
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while not answers(f"http://127.0.0.1:{port}/health"):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"vLLM's server did not start:\n{log.read_text()[-4000:]}")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether a server is up."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def overlap(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """Drawing and grading at once against the slower of the two, each with one core."""
    engine = {"name": "onnx", "model": MODEL, "threads": 1}
    # Hot programs hardly repeat each other, so nearly every one has to be run.
    hot = {"sampling": {"temperature": 1.5}, "sandbox": {"workers": 1}}
    turns = []
    for _ in range(arguments.rounds):
        alone = config(folder, engine, k=arguments.overlap_samples, **hot)
        drawing, grading = sweep(folder, alone, "draw"), sweep(folder, alone, "verify")
        both = sweep(folder, alone.model_copy(update={"store": tempfile.mkdtemp(dir=folder)}))
        turns.append((both["both_s"], drawing["seconds"], grading["seconds"]))
    both_s, drawing_s, grading_s = (median(each) for each in zip(*turns, strict=True))
    print(f"overlap: drawing alone {drawing_s:.1f} s, grading alone {grading_s:.1f} s")
    ratio = median(both / max(parts) for both, *parts in turns)
    slower = f"{max(drawing_s, grading_s):.1f} s"
    return [Row("drawing and grading at once / the slower alone", f"{both_s:.1f} s", slower, ratio, 1.1, at_most=True)]


def memory(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """The peak of a sweep's process at k = 10,000 against k = 1,000, on short samples of four problems."""
    engine = {"name": "onnx", "model": MODEL}
    peaks = []
    for k in (10_000, 1_000):
        chosen = config(folder, engine, k=k, problems=4, sampling={"max_tokens": arguments.memory_tokens})
        peaks.append(sweep(folder, chosen)["peak_bytes"])
    more, less = peaks
    figure, at_more, at_less = (
        "peak memory at k = 10,000 / at k = 1,000",
        f"{more / 1e6:,.0f} MB",
        f"{less / 1e6:,.0f} MB",
    )
    return [Row(figure, at_more, at_less, more / less, 1.15, at_most=True)]


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'figure':50}{'ours':>12}{'rival':>12}{'ratio':>8}{'target':>9}  holds"]
    for row in rows:
        target = f"{'<=' if row.at_most else '>='} {row.target:g}"
        holds = "yes" if row.holds else "NO"
        lines.append(f"{row.figure:50}{row.ours:>12}{row.rival:>12}{row.ratio:>8.2f}{target:>9}  {holds}")
    return "\n".join(lines)


def main() -> int:
    """Measure what was chosen, print the table, and say whether every target holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless named")
    parser.add_argument("--vllm-python", default=".venv-vllm/bin/python", help="the Python that has vLLM")
    parser.add_argument("--problems", type=int, default=64)
    parser.add_argument("--samples", type=int, default=256, help="of each problem")
    parser.add_argument("--overlap-samples", type=int, default=200, help="of each of all problems, for overlap")
    parser.add_argument("--memory-tokens", type=int, default=16, help="longest sample, for memory")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no part; one of {', '.join(PARTS)}")
    parts = arguments.parts or list(PARTS)
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in parts:
            print(f"... {part}", file=sys.stderr, flush=True)
            if part in {"direct", "http"} and not Path(arguments.vllm_python).exists():
                print(f"{part}: left out, as there is no {arguments.vllm_python} (--vllm-python)")
            elif part == "embedded":
                failed |= bool(subprocess.run([sys.executable, str(HERE / "engines.py")], check=False).returncode)
            else:
                rows += {"direct": direct, "http": http, "overlap": overlap, "memory": memory}[part](folder, arguments)
    if rows:
        print(table(rows))
    return int(failed or not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
