"""How long a newcomer waits: `make demo` from a bare clone, once installed, again, and extended to twice the k.

    python benchmarks/first_sweep.py

Clones this checkout (what is committed) into a temporary folder and works there, with an empty package cache. Ends 0
where every target holds, 1 where one does not.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent.parent


class Row(NamedTuple):
    """One measurement: wall seconds against their limit, and samples drawn against what must be drawn."""

    figure: str
    seconds: float
    limit_s: float
    drawn: int
    missing: int

    @property
    def holds(self) -> bool:
        """Whether it was quick enough and drew exactly what was missing."""
        return self.seconds <= self.limit_s and self.drawn == self.missing


def timed(figure: str, command: list[str], limit_s: float, missing: int, clone: Path, cache: Path) -> Row:
    """Run a command in the clone and measure it; ends this script where the command fails."""
    print(f"... {figure}: {' '.join(command)}", flush=True)
    variables = {"UV_CACHE_DIR": str(cache), "PREFECT_HOME": str(cache / "prefect")}
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PREFECT_API_URL"}}
    started = time.monotonic()
    done = subprocess.run(command, cwd=clone, env=environment | variables, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    match = re.search(r"^drew ([\d,]+) samples", done.stdout, re.MULTILINE)
    if done.returncode or not match:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return Row(figure, seconds, limit_s, int(match[1].replace(",", "")), missing)


def main() -> int:
    """Measure, print the table, and say whether every target holds."""
    with tempfile.TemporaryDirectory() as folder:
        clone, cache = Path(folder) / "clone", Path(folder) / "cache"
        subprocess.run(["git", "clone", "-q", str(HERE), str(clone)], check=True)
        demo, sweep = ["make", "demo"], [".venv/bin/monkeys", "sweep", "examples/programs.yaml"]
        rows = [timed("from nothing", demo, 600, 4_000, clone, cache)]
        (clone / "runs").rename(Path(folder) / "earlier")
        rows += [
            timed("once installed", demo, 180, 4_000, clone, cache),
            timed("the same again", demo, 30, 0, clone, cache),
            timed("k from 100 to 200", [*sweep, "--k", "200"], 180, 4_000, clone, cache),
        ]
    print(f"\n{'figure':<20}{'seconds':>9}{'limit':>7}{'drawn':>8}{'missing':>7}  holds")
    for row in rows:
        print(
            f"{row.figure:<20}{row.seconds:>9.1f}{row.limit_s:>7.0f}{row.drawn:>8,}{row.missing:>7,}"
            f"  {'yes' if row.holds else 'NO'}"
        )
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
