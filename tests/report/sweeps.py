"""Sweeps to report on, from the usual one to edge cases."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tasks.records import Price
from tasks.report.model import Example, ReportData
from tasks.scaling.cost import Usage
from tasks.scaling.estimators import Counts
from tasks.scaling.sequential_stopping import drawn
from tasks.scaling.summary import SweepSummary, summarise, summarise_solving
from tasks.sweep.budgets import AdaptiveConfig, SolveConfig

HOSTILE = '</pre></script><script>window.stolen = 1</script><img src=x onerror="window.stolen = 1">'

_USUAL = np.random.default_rng(4).binomial(100, np.random.default_rng(4).beta(0.5, 1.2, 40))
_MANY = np.random.default_rng(5).binomial(10_000, np.random.default_rng(5).beta(0.2, 2, 300))

_Correct = Sequence[int] | NDArray[np.int64] | AdaptiveConfig | SolveConfig

COUNTS: dict[str, tuple[list[str], int | list[int], _Correct]] = {
    "usual": ([f"task/{i}" for i in range(40)], 100, _USUAL),
    "300 problems": ([f"repository__issue-{i}" for i in range(300)], 10_000, _MANY),
    "none solved": (list("abcde"), 10, [0] * 5),
    "all solved": (list("abcde"), 10, [10] * 5),
    "one problem": (["only"], 50, [7]),
    "k = 1": ([f"p{i}" for i in range(30)], 1, [0, 1] * 15),
    "unequal n": (list("abc"), [3, 70, 9], [1, 30, 0]),
    "one ungraded": (list("abc"), [0, 70, 70], [0, 30, 0]),
    "hostile names": ([HOSTILE, "<b>\u202e\ud800&amp;"], 20, [3, 0]),
    "nothing": ([], [], []),
    "adaptive": ([f"p{i}" for i in range(40)], 1_000, AdaptiveConfig()),
    "solving": ([f"p{i}" for i in range(40)], 1_000, SolveConfig()),
}
TOKENS = Usage(4_000, 120_000, 71_234, Price(0.15, 0.6))


def counts_of(name: str) -> Counts:
    problems, n, c = COUNTS[name]
    if isinstance(c, AdaptiveConfig | SolveConfig):
        assert isinstance(n, int)
        generator = np.random.default_rng(6)
        rates = generator.beta(0.4, 3, len(problems))
        return Counts(tuple(problems), *drawn(n, rates, c.plan(n), generator))
    return Counts.of(problems, n, c)


@cache
def summary_of(name: str, resamples: int = 200) -> SweepSummary:
    counts = counts_of(name)
    correct, graded = int(counts.c.sum()), int(counts.n.sum())
    verdicts = {"correct": correct, "wrong": graded - correct, "infrastructure": 2}
    given = {verdict: count for verdict, count in verdicts.items() if count}
    if name == "solving":
        firsts = {counts.problem_ids[i]: int(7 * i) for i in np.flatnonzero(counts.c)}
        return summarise_solving(counts, given, firsts, 1_000, TOKENS)
    return summarise(counts, given, usage=TOKENS if name == "usual" else None, resamples=resamples)


@cache
def report_of(name: str) -> ReportData:
    examples = (
        Example("task/1", 1234, "correct", "print(input()[::-1])\n"),
        Example(HOSTILE, 3, "wrong", f"{HOSTILE}\n\u202ereversed\x00\x1b[31m {{{{ 7 * 7 }}}}", f"got {HOSTILE}"),
        Example("task/2", 5, "wrong", "x" * 10_000),
    )
    provenance = (("engine", "onnxruntime 1.31.1"), ("model fingerprint", f"sha256:abc {HOSTILE}"))
    return ReportData(f"programs · {name}", summary_of(name), f"k: 100\nnote: '{HOSTILE}'\n", provenance, examples)
