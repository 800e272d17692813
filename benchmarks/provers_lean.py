"""What the driver of Lean adds to a check: milliseconds above Lean's own time, and memory over many checks.

    python benchmarks/provers_lean.py [--checks 10000]

Proofs of 10 bytes to 200 kB are checked by the real Lean that `make provers` installs for tests, and by a program that
speaks the protocol of its server and answers at once. The driver's time is the CPU time of this process, since
wall-clock time also depends on what else the machine does; it is shown next to it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from results import Result, at_most, below, report

from tasks.errors import UserError
from tasks.provers import PlacedProof
from tasks.provers.lean4.installation import Installation, installation
from tasks.provers.lean4.placing import place
from tasks.provers.lean4.worker import Worker
from tasks.records import TheoremCheck

LEAN = Path(__file__).parents[1] / ".venv-lean" / "bin" / "lean"
LIBRARY = Path(__file__).parents[1] / "tests" / "provers" / "lean"
HEADER = "prelude\nimport MiniTactics"
THEOREM = TheoremCheck("lean", HEADER, "same", "theorem same (p : Prop) (h : p) : p := by")
SIZES = (10, 100, 1_000, 10_000, 200_000)
ANSWERING = """\
#!{python}
import json, sys

def send(**content):
    body = json.dumps({{"jsonrpc": "2.0", **content}}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()

while size := sys.stdin.buffer.readline():
    sys.stdin.buffer.readline()
    found = json.loads(sys.stdin.buffer.read(int(size.split(b":")[1])))
    if found["method"] == "textDocument/waitForDiagnostics":
        place = {{"line": 0, "character": 0}}
        said = [{{"severity": 1, "range": {{"start": place, "end": place}}, "message": "no"}}] if version > 1 else []
        params = {{"uri": "", "version": version, "diagnostics": said}}
        send(method="textDocument/publishDiagnostics", params=params)
        send(id=found["id"], result={{}})
    elif "textDocument" in found["params"]:
        version = found["params"]["textDocument"]["version"]
"""
_MEMORY_MB, _CPU_S = 2048, 60.0


class Measured(NamedTuple):
    """Milliseconds per check: CPU of the driver, CPU of Lean, and wall-clock; and megabytes of the process after a
    tenth of the checks and after all."""

    driver_ms: float
    lean_ms: float
    wall_ms: float
    early_mb: float
    late_mb: float


def proofs() -> list[PlacedProof]:
    """A proof of each size; the name in it makes it long."""
    return [place(f"exact {'x' * max(1, size - 6)}", THEOREM) for size in SIZES]


def measure(lean: Installation, checked: Sequence[PlacedProof], count: int) -> Measured:
    """Check proofs in turns in one process."""
    worker = Worker(lean, THEOREM.header, _MEMORY_MB)
    try:
        worker.prove(checked[0], _CPU_S, frozenset())
        started, cpu_started, lean_s, early = time.monotonic(), time.process_time(), 0.0, 0.0
        for number in range(count):
            lean_s += worker.prove(checked[number % len(checked)], _CPU_S, frozenset()).cpu_s
            if number == count // 10:
                early = worker.memory_mb()
        driver_s, wall_s = time.process_time() - cpu_started, time.monotonic() - started
        per = 1000 / count
        return Measured(driver_s * per, lean_s * per, wall_s * per, early, worker.memory_mb())
    finally:
        worker.close()


def answering(folder: Path) -> Installation:
    """A program in place of Lean, which answers at once."""
    python = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    program = folder / "lean"
    program.write_text(ANSWERING.format(python=python), encoding="utf-8")
    program.chmod(0o755)
    return Installation("0", "", str(program), None, (), (str(program), python))


def real(folder: Path) -> Installation:
    """The real Lean, with the library of the tests; raises UserError where it is not installed."""
    program = installation(str(LEAN), None).program
    for module in ("Mini", "MiniTactics"):
        source = folder / f"{module}.lean"
        shutil.copy(LIBRARY / source.name, source)
        command = [program, "-R", str(folder), "-o", str(source.with_suffix(".olean")), str(source)]
        subprocess.run(command, check=True, env={**os.environ, "LEAN_PATH": str(folder)})
    return installation(program, folder)


def main() -> int:
    """Measure, and print a table; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checks", type=int, default=10_000, help="checks of each")
    options = parser.parse_args()
    checked = proofs()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        found = measure(answering(folder), checked, options.checks)
        results = [
            Result(
                "driver, a program that answers at once", found.driver_ms, "ms", target=below(found.driver_ms, 5, "ms")
            ),
            Result("the same, wall-clock time with the program's own", found.wall_ms, "ms"),
        ]
        try:
            lean = real(folder)
        except UserError:
            results.append(Result("the real Lean is not installed (`make provers`)", ""))
            return report(results)
        found = measure(lean, checked, options.checks)
    growth = found.late_mb / found.early_mb
    figure = "memory after all checks; rival: after a tenth"
    results += [
        Result(f"driver, Lean {lean.version}", found.driver_ms, "ms", target=below(found.driver_ms, 5, "ms")),
        Result("Lean itself, CPU time", found.lean_ms, "ms"),
        Result("the same check, wall-clock time", found.wall_ms, "ms"),
        Result(figure, found.late_mb, "MB", found.early_mb, growth, at_most(growth, 1.1)),
    ]
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
