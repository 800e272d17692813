"""What an adaptive budget saves: coverage up to k = 10,000 from fewer samples, simulated at the rates of real sets.

    python benchmarks/adaptive.py [FOLDER] [--repeats 100] [--precision 0.3]

Each problem's measured rate is taken as the true one, and it is sampled again `repeats` times, three ways: 10,000
samples of each, the adaptive plan, and as many samples as that one spent but the same for every problem. The last
stops at its n, where only a forecast goes on. FOLDER holds sets as `benchmarks/forecast.py` takes them; without it the
sets are synthetic. Ends with 1 where a target is missed.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from outcome_sets import ATTEMPTS, read_sets, synthetic_sets

from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.sequential_stopping import drawn
from tasks.sweep.budgets import AdaptiveConfig

KS = round_ks(ATTEMPTS)
LEAST_SAVED, WIDEST = 2.0, 1.1
FORECASTS = 20


class Result(NamedTuple):
    """One set. `spent` samples a problem; `curves` (repeats, ks) of the adaptive plan, `full` of 10,000 samples each,
    `equal` of as many as were spent; `width` is the mean ratio of intervals over problems, adaptive over full;
    `measured` and `forecast` are root-mean-square errors at k = 10,000."""

    spent: float
    truth: np.ndarray
    curves: np.ndarray
    full: np.ndarray
    equal: np.ndarray
    width: float
    measured: float
    forecast: float


def simulate(counts: Counts, precision: float, repeats: int, generator: np.random.Generator) -> Result:
    """Sample a set again in all three ways."""
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
    return Result(
        float(np.mean(spent)), truth, measured, np.array(full), np.array(equal), float(np.mean(widths)),
        _rms(measured[:, -1] - truth[-1]), _rms(np.array(forecast) - truth[-1]),
    )  # fmt: skip


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def show(name: str, found: Result) -> None:
    """A line for a set, and one for the standard deviation of its curve at each power of ten."""
    print(
        f"{name[-44:]:<44} {found.spent:7,.0f} {ATTEMPTS / found.spent:6.1f}x {found.width:8.2f}x"
        f" {found.measured:10.4f} {found.forecast:10.4f}"
    )
    for label, curves in (("10,000 each", found.full), ("adaptive", found.curves), ("as many, equal", found.equal)):
        at = [
            f"{curves[:, i].std():.4f}" if np.isfinite(curves[:, i]).all() else "     –" for i in range(0, len(KS), 3)
        ]
        print(f"    {label:<16} {'  '.join(at)}")


def main() -> int:
    """Simulate every set, print it, and say whether the targets hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with sets of 10,000 outcomes a problem")
    parser.add_argument("--repeats", type=int, default=100, help="simulated sweeps of each set")
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
    held = [
        _target("largest bias, in standard errors of its mean", f"{bias:.1f}", "< 4.5", bias < 4.5),
        _target("samples saved", f"{saved:.1f}x", f">= {LEAST_SAVED:g}x", saved >= LEAST_SAVED),
        _target("interval over problems, mean ratio", f"{width:.3f}", f"<= {WIDEST:g}", width <= WIDEST),
        _target("error at k = 10,000 over an equal budget's forecast", f"{better:.2f}", "< 1", better < 1),
    ]
    return 0 if all(held) else 1


def _target(figure: str, value: str, target: str, held: bool) -> bool:
    print(f"{figure:<56} {value:>10}   target {target:<9} {'holds' if held else 'MISSED'}")
    return held


if __name__ == "__main__":
    sys.exit(main())
