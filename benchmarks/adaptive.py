"""What an adaptive budget saves: coverage up to k = 10,000 from fewer samples, simulated with the rates of real sets.

    python benchmarks/adaptive.py [FOLDER] [--repeats 100] [--precision 0.3]

The measured success rate of each problem is taken as the true one. Sweeps are simulated with three budgets: 10,000
samples per problem, the adaptive plan, and an equal budget, which spends as many samples as the adaptive plan but the
same number on each problem. Beyond that number, the equal budget can only forecast. FOLDER holds sets as for
`benchmarks/forecast.py`; without it, the sets are synthetic. Exits with 1 if a target is missed.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from outcome_sets import ATTEMPTS, read_sets, synthetic_sets
from results import Result, at_least, at_most, below, report

from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.sequential_stopping import drawn
from tasks.sweep.budgets import AdaptiveConfig

KS = round_ks(ATTEMPTS)
MIN_SAVED, MAX_WIDTH_RATIO = 2.0, 1.1
FORECASTS = 20


class Simulated(NamedTuple):
    """The simulated sweeps of one set.

    `spent` is the mean number of samples per problem under the adaptive plan. `truth`, shape (ks,), is the true
    coverage. `curves`, `full` and `equal`, shape (repeats, ks), are the coverage measured with the adaptive plan, with
    10,000 samples per problem and with the equal budget. `width` is the mean width of intervals over problems, adaptive
    relative to full. `measured` and `forecast` are root-mean-square errors at k = 10,000, of the adaptive plan and of
    the equal budget's forecast.
    """

    spent: float
    truth: np.ndarray
    curves: np.ndarray
    full: np.ndarray
    equal: np.ndarray
    width: float
    measured: float
    forecast: float


def simulate(counts: Counts, precision: float, repeats: int, generator: np.random.Generator) -> Simulated:
    """Simulate sweeps of a set with each of the three budgets."""
    rates = counts.c / counts.n
    plan = AdaptiveConfig(precision=precision).plan(ATTEMPTS)
    curves, full, equal, widths, spent, forecast = [], [], [], [], [], []
    for repeat in range(repeats):
        n, c, rounds = drawn(ATTEMPTS, rates, plan, generator)
        adaptive = Counts(counts.problem_ids, n, c, rounds)
        whole = Counts.of(counts.problem_ids, ATTEMPTS, generator.binomial(ATTEMPTS, rates))
        each = round(n.mean())
        alike = Counts.of(counts.problem_ids, each, generator.binomial(each, rates))
        curves.append(coverage(adaptive, KS).coverage)
        full.append(coverage(whole, KS).coverage)
        equal.append(coverage(alike, KS).coverage)
        spent.append(n.mean())
        if repeat < FORECASTS:
            ours, theirs = (interval_over_problems(every, KS, seed=repeat) for every in (adaptive, whole))
            widths.append((ours.high - ours.low).mean() / (theirs.high - theirs.low).mean())
            forecast.append(Forecaster(alike).at([ATTEMPTS])[0].coverage)
    truth = (1 - (1 - rates) ** KS[:, None]).mean(axis=1)
    measured = np.array(curves)
    return Simulated(
        float(np.mean(spent)), truth, measured, np.array(full), np.array(equal), float(np.mean(widths)),
        _rms(measured[:, -1] - truth[-1]), _rms(np.array(forecast) - truth[-1]),
    )  # fmt: skip


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def show(name: str, found: Simulated) -> None:
    """Print a line for a set, and a line for each budget with the standard deviation of coverage at powers of ten."""
    print(
        f"{name[-44:]:<44} {found.spent:7,.0f} {ATTEMPTS / found.spent:6.1f}x {found.width:8.2f}x"
        f" {found.measured:10.4f} {found.forecast:10.4f}"
    )
    for label, curves in (("10,000 each", found.full), ("adaptive", found.curves), ("equal budget", found.equal)):
        at = [
            f"{curves[:, i].std():.4f}" if np.isfinite(curves[:, i]).all() else "     –" for i in range(0, len(KS), 3)
        ]
        print(f"    {label:<16} {'  '.join(at)}")


def main() -> int:
    """Simulate every set and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with sets of at least 10,000 outcomes per problem")
    parser.add_argument("--repeats", type=int, default=100, help="simulated sweeps per set")
    parser.add_argument(
        "--precision", type=float, default=AdaptiveConfig().precision, help="as in the sweep's `budget`"
    )
    arguments = parser.parse_args()
    sets = read_sets(arguments.folder) if arguments.folder else synthetic_sets()
    generator = np.random.default_rng(0)
    print(
        f"Adaptive budgets to k = {ATTEMPTS:,}, precision {arguments.precision:g}, {arguments.repeats} simulated sweeps"
    )
    print(f"{'':<44} {'samples':>7} {'saved':>7} {'interval':>9} {'rms error at k = 10,000':>21}")
    print(f"{'':<44} {'each':>7} {'':>7} {'ratio':>9} {'measured':>10} {'forecast':>10}")
    print(f"    {'deviation at k =':<16} {'  '.join(f'{k:>6,}' for k in KS[::3])}")
    results = []
    for name, counts in sets.items():
        results.append(simulate(counts, arguments.precision, arguments.repeats, generator))
        show(name, results[-1])
    bias = max(
        float(np.max(np.abs(r.curves.mean(axis=0) - r.truth) / np.maximum(r.curves.std(axis=0), 1e-5))) for r in results
    ) * np.sqrt(arguments.repeats)
    saved = ATTEMPTS * len(results) / sum(r.spent for r in results)
    width = float(np.mean([r.width for r in results]))
    better = _rms(np.array([r.measured for r in results])) / _rms(np.array([r.forecast for r in results]))
    print()
    return report(
        [
            Result("largest bias, in standard errors of the mean", bias, target=below(bias, 4.5)),
            Result("samples saved", saved, "×", target=at_least(saved, MIN_SAVED, "×")),
            Result("width of the interval over problems, mean ratio", width, target=at_most(width, MAX_WIDTH_RATIO)),
            Result("error at k = 10,000 / that of an equal budget's forecast", better, target=below(better, 1)),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
