"""What the benchmarks share: the table of results, and their exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = """
from math import nan
from results import Result, Target, at_least, at_most, below, report
raise SystemExit(report([Result("figure [1]", 7.55, "ms", 1.42, 5.3, {target}), Result("only reported", "4 of 5")]))
"""


@pytest.mark.parametrize(
    ("target", "status", "shown"),
    [
        ("None", 0, ""),
        ("at_least(5.3, 5.3)", 0, "≥ 5.3   met"),
        ("at_least(5.2, 5.3)", 1, "≥ 5.3   MISSED"),
        ("at_least(nan, 5.3)", 1, "≥ 5.3   MISSED"),
        ("at_most(8, 8, 'ms')", 0, "≤ 8 ms   met"),
        ("at_most(8.1, 8, 'ms')", 1, "≤ 8 ms   MISSED"),
        ("below(8, 8)", 1, "< 8   MISSED"),
        ("Target('all', met=None)", 0, "all   not measured"),
    ],
)
def test_a_missed_target_is_shown_and_makes_the_benchmark_fail(target: str, status: int, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(target=target)],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if "figure [1]" in line]
    assert "7.55 ms" in row
    assert "1.42 ms" in row
    assert shown in row
