"""Sampling in a sweep, compared with the bare engine on the same prompts.

    python benchmarks/sampling.py [direct http overlap engines memory] [--vllm-python .venv-vllm/bin/python]
                                  [--problems 64] [--samples 256] [--rounds 3]

- direct: tokens per second of a sweep with the engine `vllm`, compared with `vllm.LLM.generate`.
- http: tokens per second of a sweep with the engine `openai`, compared with a plain asynchronous client on the same
  server.
- overlap: a sweep whose drawing and grading take about equally long, each on its own core, compared with the slower of
  the two stages alone.
- engines: `engines.py`.
- memory: peak memory of a sweep at k = 10,000, compared with k = 1,000.

A sweep is the whole flow: Prefect, store, grading in the sandbox, report. Loading the model is excluded on both sides;
Prefect's start is reported separately. A sweep and its rival take turns, and the ratio (sweep over rival) is the median
over the turns; both must draw the same tokens, sample by sample. Parts whose engine is not installed are skipped with a
message. Exits with 1 if a target is missed.
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
from typing import Any

from results import Result, at_least, at_most, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.config.sweep import SweepConfig
from flows.setup.sweep import build_sweep
from tasks.engines.onnx import OnnxConfig
from tasks.engines.seeds import base_seed

HERE = Path(__file__).resolve().parent
PARTS = ("direct", "http", "overlap", "engines", "memory")
MODEL = "programs"
START_TIMEOUT_S = 300


def config(folder: Path, engine: dict[str, Any], **fields: Any) -> SweepConfig:
    """A sweep of the bundled model on its problems, into an empty store."""
    store = tempfile.mkdtemp(dir=folder, prefix="runs-")
    return SweepConfig.model_validate({"dataset": MODEL, "engine": engine, "store": store, **fields})


def ran(script: str, *arguments: str, given: str, python: str = sys.executable, **environment: str) -> dict[str, Any]:
    """Run another script of this folder, with `given` on standard input; returns the JSON document that it prints last.

    Exits if the script fails.
    """
    command = [python, str(HERE / script), *arguments]
    done = subprocess.run(
        command, input=given, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {script} {' '.join(arguments)}: {in_one_line(found)}", file=sys.stderr, flush=True)
    return found


def in_one_line(found: dict[str, Any]) -> str:
    """A measurement as text."""
    return ", ".join(f"{name} {value:,.6g}" for name, value in found.items() if value is not None)


def sweep(folder: Path, chosen: SweepConfig, mode: str = "sweep") -> dict[str, Any]:
    """Run a sweep, or a stage of it, in a separate process."""
    return ran("sampling_sweep.py", mode, given=chosen.model_dump_json(), PREFECT_HOME=str(folder / "prefect"))


def bare_task(chosen: SweepConfig, max_n: int) -> dict[str, Any]:
    """The requests of a sweep in the form that `sampling_raw.py` reads, with up to `max_n` samples per request."""
    job = build_sweep(chosen)
    requests = [
        {"prompt": job.prompt_of(problem), "n": min(max_n, chosen.k - at), "seed": base_seed(0, problem.id) + at}
        for problem in job.selection.problems
        for at in range(0, chosen.k, max_n)
    ]
    of = job.sampling
    drawn = {"temperature": of.temperature, "top_p": of.top_p, "max_tokens": of.max_tokens, "stop": list(of.stop)}
    return {"requests": requests, "sampling": drawn}


def compared(figure: str, turns: list[tuple[dict[str, Any], dict[str, Any]]], target: float) -> Result:
    """Tokens per second of the sweep and of its rival."""
    for ours, rival in turns:
        if ours["samples"] != rival["samples"]:
            sys.exit(f"{figure}: the sweep drew {ours['samples']:,} samples, the rival {rival['samples']:,}")
        if ours["tokens"] != rival["tokens"]:
            tokens = f"{ours['tokens']:,} tokens and {rival['tokens']:,}"
            print(f"{figure}: the sweep and its rival drew {tokens}, so their samples differ")
    rates = [[each["tokens"] / each["seconds"] for each in turn] for turn in turns]
    ours, rival = (median(of) for of in zip(*rates, strict=True))
    started = median(turn[0]["prefect_s"] for turn in turns)
    print(f"{figure}: starting Prefect took another {started:.1f} s")
    ratio = median(a / b for a, b in rates)
    return Result(figure, ours, "tokens/s", rival, ratio, at_least(ratio, target))


def direct(folder: Path, arguments: argparse.Namespace) -> list[Result]:
    """A sweep with the engine `vllm`, compared with `LLM.generate`."""
    from tasks.engines.supervised import vllm_process

    model = str(OnnxConfig(model=MODEL).folder)
    engine = {"name": "vllm", "model": model, "python": arguments.vllm_python}
    size = {"limit": arguments.problems, "k": arguments.samples}
    installed = vllm_process.installation(arguments.vllm_python)
    bare = bare_task(config(folder, engine, **size), max_n=arguments.samples)
    own = {"model": model, "disable_log_stats": True}
    own |= {"distributed_executor_backend": "uni"} if installed.on_cpu else {}
    bare["arguments"] = vllm_process.arguments(installed, own, {})
    environment = vllm_process.environment(installed, local_model=True, one_process=True)
    turns = []
    for _ in range(arguments.rounds):
        rival = ran("sampling_raw.py", given=json.dumps(bare), python=arguments.vllm_python, **environment)
        turns.append((sweep(folder, config(folder, engine, **size)), rival))
    return [compared("sweep with vllm / LLM.generate", turns, 0.95), *kept_busy(turns)]


def kept_busy(turns: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[Result]:
    """Two figures that do not depend on other load on the machine: tokens per CPU second of the engine's process, and
    the share of the drawing time in which that process had work, whether or not it had a core."""
    if any("engine_cpu_s" not in ours for ours, _ in turns):
        return []
    rates = [[each["tokens"] / each["engine_cpu_s"] for each in turn] for turn in turns]
    ours, rival = (median(of) for of in zip(*rates, strict=True))
    shares = [(ours["engine_cpu_s"] + ours["engine_waited_s"], ours["drawing_s"]) for ours, _ in turns]
    busy, drawing = (median(of) for of in zip(*shares, strict=True))
    rate, share = (median(a / b for a, b in pairs) for pairs in (rates, shares))
    return [
        Result("vllm in a sweep / alone", ours, "tokens/CPU-s", rival, rate, at_least(rate, 0.95)),
        Result("vllm had work / the sweep drew", busy, "s", drawing, share, at_least(share, 0.95)),
    ]


def http(folder: Path, arguments: argparse.Namespace) -> list[Result]:
    """A sweep with the engine `openai`, compared with `httpx` and `gather` on the same server."""
    size = {"limit": arguments.problems, "k": arguments.samples}
    turns = []
    with server(folder, arguments.vllm_python) as url:
        engine = {"name": "openai", "model": MODEL, "base_urls": url}
        bare = bare_task(config(folder, engine, **size), max_n=32)
        bare |= {"url": url, "model": MODEL}
        for _ in range(arguments.rounds):
            rival = ran("sampling_raw.py", given=json.dumps(bare), python=arguments.vllm_python)
            turns.append((sweep(folder, config(folder, engine, **size)), rival))
    return [compared("sweep over HTTP / httpx and gather", turns, 0.9)]


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
            deadline = time.monotonic() + START_TIMEOUT_S
            while not is_up(f"http://127.0.0.1:{port}/health"):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"vLLM's server did not start:\n{log.read_text()[-4000:]}")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def is_up(url: str) -> bool:
    """Whether a server answers."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def overlap(folder: Path, arguments: argparse.Namespace) -> list[Result]:
    """Drawing and grading concurrently, one core each, compared with the slower of the two alone."""
    engine = {"name": "onnx", "model": MODEL, "threads": 1}
    # At a high temperature few programs are equal, so nearly every one has to be run.
    hot = {"sampling": {"temperature": 1.5}, "sandbox": {"workers": 1}}
    turns = []
    for _ in range(arguments.rounds):
        alone = config(folder, engine, k=arguments.overlap_samples, **hot)
        drawing, grading = sweep(folder, alone, "draw"), sweep(folder, alone, "grade")
        both = sweep(folder, alone.model_copy(update={"store": tempfile.mkdtemp(dir=folder)}))
        turns.append((both["both_s"], drawing["seconds"], grading["seconds"]))
    both_s, drawing_s, grading_s = (median(each) for each in zip(*turns, strict=True))
    print(f"overlap: drawing alone {drawing_s:.1f} s, grading alone {grading_s:.1f} s")
    ratio = median(both / max(parts) for both, *parts in turns)
    figure, slower_s = "drawing and grading concurrently / the slower alone", max(drawing_s, grading_s)
    return [Result(figure, both_s, "s", slower_s, ratio, at_most(ratio, 1.1))]


def memory(folder: Path, arguments: argparse.Namespace) -> list[Result]:
    """Peak memory of a sweep's process at k = 10,000 and at k = 1,000, with short samples of four problems."""
    engine = {"name": "onnx", "model": MODEL}
    peaks = []
    for k in (10_000, 1_000):
        chosen = config(folder, engine, k=k, limit=4, sampling={"max_tokens": arguments.memory_tokens})
        peaks.append(sweep(folder, chosen)["peak_bytes"])
    more, less = peaks
    figure, ratio = "peak memory at k = 10,000 / at k = 1,000", more / less
    return [Result(figure, more / 1e6, "MB", less / 1e6, ratio, at_most(ratio, 1.15))]


def main() -> int:
    """Measure the chosen parts and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; default: all")
    parser.add_argument("--vllm-python", default=".venv-vllm/bin/python", help="the Python that has vLLM")
    parser.add_argument("--problems", type=int, default=64)
    parser.add_argument("--samples", type=int, default=256, help="samples per problem")
    parser.add_argument("--overlap-samples", type=int, default=200, help="samples per problem, for overlap")
    parser.add_argument("--memory-tokens", type=int, default=16, help="maximum tokens of a sample, for memory")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}: must be one of {', '.join(PARTS)}")
    parts = arguments.parts or list(PARTS)
    results: list[Result] = []
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in parts:
            print(f"... {part}", file=sys.stderr, flush=True)
            if part in {"direct", "http"} and not Path(arguments.vllm_python).exists():
                print(f"{part}: skipped, because {arguments.vllm_python} does not exist (--vllm-python)")
            elif part == "engines":
                failed |= bool(subprocess.run([sys.executable, str(HERE / "engines.py")], check=False).returncode)
            else:
                measure = {"direct": direct, "http": http, "overlap": overlap, "memory": memory}[part]
                results += measure(folder, arguments)
    return report(results) or int(failed)


if __name__ == "__main__":
    sys.exit(main())
