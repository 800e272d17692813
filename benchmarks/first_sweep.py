"""How long a new user waits for `make demo`: from a bare clone, once installed, repeated, and extended to twice the k.

    python benchmarks/first_sweep.py

Clones this checkout (what is committed) into a temporary folder and works there, with an empty package cache. Each
command has to be fast enough, and to draw exactly the samples that are missing. Exits with 1 if a target is missed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Result, Target, at_most, report

CHECKOUT = Path(__file__).resolve().parent.parent


def timed(figure: str, command: list[str], limit_s: float, missing: int, clone: Path, cache: Path) -> list[Result]:
    """Run a command in the clone: its wall-clock time, and the number of samples that it drew. Exits if it fails."""
    print(f"... {figure}: {' '.join(command)}", flush=True)
    variables = {"UV_CACHE_DIR": str(cache), "PREFECT_HOME": str(cache / "prefect")}
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PREFECT_API_URL"}}
    started = time.monotonic()
    done = subprocess.run(command, cwd=clone, env=environment | variables, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    match = re.search(r"^drew ([\d,]+) samples", done.stdout, re.MULTILINE)
    if done.returncode or not match:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    drawn = int(match[1].replace(",", ""))
    return [
        Result(figure, seconds, "s", target=at_most(seconds, limit_s, "s")),
        Result(f"{figure}: samples drawn", drawn, target=Target(f"{missing:,}", drawn == missing)),
    ]


def main() -> int:
    """Measure and print the results."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone, cache = Path(folder) / "clone", Path(folder) / "cache"
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(clone)], check=True)
        demo, sweep = ["make", "demo"], [".venv/bin/monkeys", "sweep", "examples/programs.yaml"]
        results = timed("from nothing", demo, 600, 4_000, clone, cache)
        (clone / "runs").rename(Path(folder) / "earlier")
        results += timed("once installed", demo, 180, 4_000, clone, cache)
        results += timed("the same again", demo, 30, 0, clone, cache)
        results += timed("k from 100 to 200", [*sweep, "--k", "200"], 180, 4_000, clone, cache)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
