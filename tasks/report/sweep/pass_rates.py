"""The distribution of pass rates over problems: its heavy left tail makes coverage grow as a power law (Schaeffer et
al. 2025, arXiv 2502.17578)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from tasks.scaling.summary import ProblemCount


@dataclass(frozen=True, slots=True)
class RateBin:
    """`count` problems with a pass rate c/n in [low, high); the first bin is c = 0, the last c = n."""

    label: str
    count: int


def by_difficulty(problems: Sequence[ProblemCount]) -> list[ProblemCount]:
    """The graded problems, easiest first; ties in the order of the dataset."""
    return sorted((problem for problem in problems if problem.n), key=lambda problem: -problem.c / problem.n)


def rate_bins(problems: Sequence[ProblemCount]) -> list[RateBin]:
    """Bins of graded problems by pass rate: none correct, half-decades from the smallest rate possible with the largest
    n, all correct."""
    graded = [problem for problem in problems if problem.n]
    if not graded:
        return []
    lowest = floor(log10(1 / max(problem.n for problem in graded)) + 1e-9)
    edges = [digit * 10.0**power for power in range(lowest, 0) for digit in (1, 3)] or [0.1, 0.3]
    counts = [0] * len(edges)
    for problem in graded:
        if 0 < problem.c < problem.n:
            rate = problem.c / problem.n
            counts[max(i for i, edge in enumerate(edges) if rate >= edge * (1 - 1e-9))] += 1
    middle = [
        RateBin(f"{_percent(low)}–{_percent(high)}", count)
        for low, high, count in zip(edges, [*edges[1:], 1.0], counts, strict=True)
    ]
    unsolved = sum(problem.c == 0 for problem in graded)
    always = sum(problem.c == problem.n for problem in graded)
    return [RateBin("0", unsolved), *middle, RateBin("100%", always)]


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"
