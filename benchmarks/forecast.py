"""Backtest of the forecast, and speed and exactness of the estimators.

From sets with 10,000 outcomes a problem, n = 50, 100, 300 and 1,000 are drawn without replacement; each method then
says what coverage at k = 10,000 will be, and is compared with what it is. Errors are of log coverage.

    python benchmarks/forecast.py FOLDER [--repeats 20]

FOLDER holds `*.csv` with columns problem,samples,correct and `*.npz` with one packed matrix of outcomes for each key
(problems x attempts, 10,000 of them). Where a subsample has no success the plain law gives nothing, and is not scored.
"""

import argparse
import time
from collections import defaultdict
from fractions import Fraction
from math import comb, log
from pathlib import Path
from timeit import timeit
from typing import NamedTuple

import numpy as np
from outcome_sets import read_sets

from tasks.scaling.estimators import Counts, bootstrap_coverage, coverage, log_spaced_ks, nice_ks, pass_at_k
from tasks.scaling.forecast import Forecaster
from tasks.scaling.laws import PowerLaw, fit_counts
from tasks.scaling.mixing import family, fit_mixture

SIZES, TARGET = (50, 100, 300, 1_000), 10_000
OURS, PLAIN, BETA = "forecast", "power law", "beta-binomial"


class Score(NamedTuple):
    """One forecast: signed log error by method, and whether the intervals of ours held the truth."""

    errors: dict[str, float]
    in50: bool
    in90: bool


def score(full: Counts, n: int, generator: np.random.Generator) -> Score:
    """Forecast from n samples a problem, drawn without replacement."""
    correct = generator.hypergeometric(full.c, full.n - full.c, n)
    counts = Counts.of(full.problem_ids, n, correct)
    truth = float(coverage(full, [TARGET]).coverage[0])
    ours = Forecaster(counts).at([TARGET])[0]
    errors = {
        OURS: log(ours.coverage / truth),
        BETA: log(float(fit_mixture(counts, family(BETA)).coverage([TARGET])[0]) / truth),
    }
    law = fit_counts(counts, resamples=0).law
    if isinstance(law, PowerLaw):
        errors[PLAIN] = log(float(law.predict(TARGET)) / truth)
    elif counts.c.all():
        errors[PLAIN] = log(1 / truth)
    slack = 1e-9
    return Score(
        errors,
        ours.low50 - slack <= truth <= ours.high50 + slack,
        ours.low90 - slack <= truth <= ours.high90 + slack,
    )


def show(title: str, scores: list[Score]) -> None:
    """One line: median and root-mean-square log error of each method, and how often the intervals held."""
    both = [entry for entry in scores if PLAIN in entry.errors]
    parts = []
    for method in (OURS, PLAIN, BETA):
        errors = np.array([entry.errors[method] for entry in both])
        parts.append(f"{np.median(np.abs(errors)):7.3f} {np.sqrt(np.mean(errors**2)):6.3f}")
    held = f"{np.mean([s.in50 for s in scores]):6.1%} {np.mean([s.in90 for s in scores]):6.1%}"
    print(f"{title:<44} {'  '.join(parts)}   {held}   {len(scores) - len(both):>4}")


def backtest(sets: dict[str, Counts], repeats: int) -> None:
    """Print the errors by n, by set, and pooled."""
    generator = np.random.default_rng(0)
    by_n: dict[int, list[Score]] = defaultdict(list)
    by_set: dict[str, list[Score]] = defaultdict(list)
    for name, full in sets.items():
        for n in SIZES:
            for _ in range(repeats):
                entry = score(full, n, generator)
                by_n[n].append(entry)
                by_set[name].append(entry)
    print(f"\nForecasts of coverage at k = {TARGET:,}: median and rms of the absolute log error; share held")
    print(f"{'':<44} {OURS:>14}  {PLAIN:>14}  {BETA:>14}   {'50%':>6} {'90%':>6}   no success")
    for n, scores in by_n.items():
        show(f"n = {n:,}", scores)
    for name, scores in by_set.items():
        show(name[-44:], scores)
    pooled = [entry for scores in by_n.values() for entry in scores]
    show("pooled", pooled)


def exactness() -> None:
    """Largest error of pass@k against exact fractions, for n up to 10,000."""
    generator = np.random.default_rng(1)
    worst = 0.0
    for _ in range(2_000):
        n = int(np.exp(generator.uniform(0, log(10_000))))
        c, k = int(generator.integers(0, n + 1)), int(np.exp(generator.uniform(0, log(n) + 1e-9)))
        truth = 1 - Fraction(comb(n - c, k), comb(n, k))
        worst = max(worst, abs(float(Fraction(float(pass_at_k(n, [c], k)[0])) - truth)))
    print(f"pass@k against exact fractions, 2,000 cases to n = 10,000: largest error {worst:.1e}")


def speed() -> None:
    """Curve with 1,000 bootstrap resamples for 128 x 10,000, and the plain loop that it replaces."""
    generator = np.random.default_rng(2)
    counts = Counts.of([str(i) for i in range(128)], 10_000, generator.binomial(10_000, generator.beta(0.3, 2, 128)))
    ks = np.union1d(log_spaced_ks(10_000), nice_ks(10_000))
    curve = timeit(lambda: coverage(counts, ks), number=5) / 5
    both = timeit(lambda: (coverage(counts, ks), bootstrap_coverage(counts, ks)), number=5) / 5
    started = time.perf_counter()
    for c in counts.c.tolist():
        for k in ks.tolist():
            1.0 if 10_000 - c < k else 1.0 - np.prod(1.0 - k / np.arange(10_000 - c + 1, 10_001))
    once = time.perf_counter() - started
    started = time.perf_counter()
    Forecaster(counts).at([100_000])
    print(
        f"128 x 10,000 at {len(ks)} k: curve {curve * 1e3:.2f} ms, {once / curve:.0f} times faster than a loop over "
        f"problems and k; with 1,000 resamples {both * 1e3:.1f} ms; first forecast "
        f"{(time.perf_counter() - started) * 1e3:.0f} ms"
    )


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with sets of 10,000 outcomes a problem")
    parser.add_argument("--repeats", type=int, default=20, help="subsamples of each set and n")
    arguments = parser.parse_args()
    sets = read_sets(arguments.folder)
    if not sets:
        parser.error(f"{arguments.folder} holds no set with {TARGET:,} attempts for every problem")
    exactness()
    speed()
    backtest(sets, arguments.repeats)


if __name__ == "__main__":
    main()
