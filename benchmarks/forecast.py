"""Backtest of the forecast; exactness and speed of the estimators; size and time of a report.

    python benchmarks/forecast.py [FOLDER ...] [--repeats 20]

From sets with at least 10,000 outcomes per problem, n = 50, 100, 300 and 1,000 per problem are drawn without
replacement. From these, each method forecasts coverage at k = 10,000, which is compared with that of the whole set.
Errors are those of log coverage.

A FOLDER holds `*.csv` files with the columns problem, samples and correct, and `*.npz` files with one packed matrix of
outcomes (problems x 10,000 attempts) per key. The targets are for the sets of all folders together. Without a folder,
the sets are synthetic, and there are no targets for forecasts. The plain power law has no forecast for a subsample
without a success: such subsamples are counted, but excluded from the errors of all methods. Run on one core. Exits with
1 if a target is missed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the targets are for one core

import argparse
import sys
import time
from collections import defaultdict
from fractions import Fraction
from math import comb, log
from pathlib import Path
from timeit import repeat
from typing import NamedTuple

import numpy as np
from outcome_sets import ATTEMPTS, hard_to_forecast, read_sets, synthetic_sets
from results import Result, Target, at_least, at_most, below, report

from tasks.scaling.estimators import Counts, coverage, log_spaced_ks, pass_at_k, round_ks
from tasks.scaling.families import family
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.laws import PowerLaw, fit_counts
from tasks.scaling.mixtures import fit_mixture
from tasks.scaling.summary import summarise

SIZES = (50, 100, 300, 1_000)
OURS, PLAIN, BETA = "forecast", "power law", "beta-binomial"
# Coverage at k = 1, 10, …, 10,000, as published with the paper's outcomes.
PUBLISHED = {
    "MATH__Pythia_160M": (0.0027, 0.0251, 0.1619, 0.4102, 0.5703),
    "MATH__Pythia_1B": (0.0083, 0.0665, 0.2745, 0.5462, 0.7422),
    "MATH__Pythia_12B": (0.0232, 0.1568, 0.4834, 0.7233, 0.8750),
    "large_language_monkeys_counts_math_llama3_8b_instruct": (0.2684, 0.6093, 0.8290, 0.9342, 0.9844),
    "CodeContests__Gemma_7B": (0.0079, 0.0397, 0.0839, 0.1627, 0.2643),
}


class Score(NamedTuple):
    """One forecast: the signed log error of each method, and whether our intervals contained the truth."""

    errors: dict[str, float]
    in50: bool
    in90: bool


def score(full: Counts, n: int, generator: np.random.Generator) -> Score:
    """Forecast from n samples per problem, drawn without replacement."""
    correct = generator.hypergeometric(full.c, full.n - full.c, n)
    counts = Counts.of(full.problem_ids, n, correct)
    truth = float(coverage(full, [ATTEMPTS]).coverage[0])
    ours = Forecaster(counts).at([ATTEMPTS])[0]
    errors = {
        OURS: log(ours.coverage / truth),
        BETA: log(float(fit_mixture(counts, family(BETA)).coverage([ATTEMPTS])[0]) / truth),
    }
    law = fit_counts(counts, resamples=0)
    if isinstance(law, PowerLaw):
        errors[PLAIN] = log(float(law.predict(ATTEMPTS)) / truth)
    elif counts.c.all():
        errors[PLAIN] = log(1 / truth)
    slack = 1e-9
    return Score(
        errors,
        ours.low50 - slack <= truth <= ours.high50 + slack,
        ours.low90 - slack <= truth <= ours.high90 + slack,
    )


def errors_of(method: str, scores: list[Score]) -> tuple[float, float]:
    """Median and root-mean-square log error over the subsamples for which the plain law has a forecast."""
    errors = np.array([entry.errors[method] for entry in scores if PLAIN in entry.errors])
    if not len(errors):
        return np.nan, np.nan
    return float(np.median(np.abs(errors))), float(np.sqrt(np.mean(errors**2)))


def show(title: str, scores: list[Score]) -> None:
    """Print a line: the errors of each method, how often our intervals contained the truth, and the number of
    subsamples without a success."""
    parts = ["{:7.3f} {:6.3f}".format(*errors_of(method, scores)) for method in (OURS, PLAIN, BETA)]
    held = f"{np.mean([s.in50 for s in scores]):6.1%} {np.mean([s.in90 for s in scores]):6.1%}"
    silent = sum(PLAIN not in entry.errors for entry in scores)
    print(f"{title:<44} {'  '.join(parts)}   {held}   {silent:>4}")


def backtest(sets: dict[str, Counts], repeats: int) -> list[Score]:
    """Print the errors by n, by set, and pooled; returns the scores."""
    generator = np.random.default_rng(0)
    by_n: dict[int, list[Score]] = defaultdict(list)
    by_set: dict[str, list[Score]] = defaultdict(list)
    for name, full in sets.items():
        for n in SIZES:
            for _ in range(repeats):
                entry = score(full, n, generator)
                by_n[n].append(entry)
                by_set[name].append(entry)
    print(
        f"\nForecasts of coverage at k = {ATTEMPTS:,}: median and rms of the absolute log error; coverage of intervals"
    )
    print(f"{'':<44} {OURS:>14}  {PLAIN:>14}  {BETA:>14}   {'50%':>6} {'90%':>6}   no success")
    for n, scores in by_n.items():
        show(f"n = {n:,}", scores)
    for name, scores in by_set.items():
        show(name[-44:], scores)
    pooled = [entry for scores in by_n.values() for entry in scores]
    show("pooled", pooled)
    return pooled


def forecast_results(pooled: list[Score]) -> list[Result]:
    """The figures of the pooled backtest that have targets."""
    (median, rms), (plain_median, plain_rms) = errors_of(OURS, pooled), errors_of(PLAIN, pooled)
    held = float(np.mean([entry.in90 for entry in pooled]))
    half = float(np.mean([entry.in50 for entry in pooled]))
    ratio = rms / plain_rms
    return [
        Result(
            "median log error / the power law's", median, "", plain_median, median / plain_median,
            at_most(median, plain_median),
        ),
        Result("rms log error / the power law's", rms, "", plain_rms, ratio, at_most(ratio, 0.8)),
        Result("90% interval contains the truth", f"{held:.1%}", target=Target("85% to 97%", 0.85 <= held <= 0.97)),
        Result("50% interval contains the truth", f"{half:.1%}", target=Target("42% to 62%", 0.42 <= half <= 0.62)),
        Result("forecasts that fail", 0, target=Target("0", met=True)),  # one that raises has ended the script
    ]  # fmt: skip


def published(sets: dict[str, Counts]) -> list[Result]:
    """The error of coverage for the sets whose coverage is published, with four decimals."""
    found = []
    for name, values in PUBLISHED.items():
        if name in sets:
            ours = coverage(sets[name], [1, 10, 100, 1_000, 10_000]).coverage
            worst = float(np.max(np.abs(np.round(ours, 4) - values)))
            target = Target("4 decimals", worst < 5e-5)
            found.append(Result(f"coverage of {name[-30:]}, largest error", worst, target=target))
    return found


def exactness() -> Result:
    """The largest error of pass@k, compared with exact fractions, for n up to 10,000."""
    generator = np.random.default_rng(1)
    worst = 0.0
    for _ in range(2_000):
        n = int(np.exp(generator.uniform(0, log(10_000))))
        c, k = int(generator.integers(0, n + 1)), int(np.exp(generator.uniform(0, log(n) + 1e-9)))
        truth = 1 - Fraction(comb(n - c, k), comb(n, k))
        worst = max(worst, abs(float(Fraction(float(pass_at_k(n, [c], k)[0])) - truth)))
    return Result("pass@k, largest error for n to 10,000", worst, target=at_most(worst, 1e-12))


def speed() -> list[Result]:
    """Time of a curve with its interval over problems for 128 x 10,000 samples, compared with a loop over problems
    and k."""
    generator = np.random.default_rng(2)
    counts = Counts.of(
        [str(i) for i in range(128)], ATTEMPTS, generator.binomial(ATTEMPTS, generator.beta(0.3, 2, 128))
    )
    ks = np.union1d(log_spaced_ks(ATTEMPTS), round_ks(ATTEMPTS))

    def loop() -> None:
        for c in counts.c.tolist():
            for k in ks.tolist():
                1.0 if ATTEMPTS - c < k else 1.0 - np.prod(1.0 - k / np.arange(ATTEMPTS - c + 1, ATTEMPTS + 1))

    # The minimum of several runs, because other load on the machine can only make one slower.
    curve = min(repeat(lambda: coverage(counts, ks), number=20, repeat=10)) / 20
    both = min(repeat(lambda: (coverage(counts, ks), interval_over_problems(counts, ks)), number=5, repeat=5)) / 5
    once = min(repeat(loop, number=1, repeat=5))
    started = time.perf_counter()
    Forecaster(counts).at([100_000])
    print(f"128 x 10,000 at {len(ks)} k: curve {curve * 1e3:.2f} ms, a loop over problems and k {once * 1e3:.0f} ms")
    print(f"first forecast {(time.perf_counter() - started) * 1e3:.0f} ms")
    alone, resampled = once / curve, 1_001 * once / both
    return [
        Result("curve and 1,000 resamples, 128 x 10,000", both * 1e3, "ms", target=below(both * 1e3, 200, "ms")),
        Result("curve / the loop", curve * 1e3, "ms", once * 1e3, alone, at_least(alone, 100)),
        Result(
            "with 1,000 resamples / the loop 1,001 times", both * 1e3, "ms", 1_001 * once * 1e3, resampled,
            at_least(resampled, 100),
        ),
    ]  # fmt: skip


def report_page() -> list[Result]:
    """Time and size of the report on 300 problems x 10,000 samples, including figures."""
    started = time.perf_counter()
    from tasks.report.model import Example, ReportData
    from tasks.report.sweep.figures import draw
    from tasks.report.sweep.page import render

    generator = np.random.default_rng(3)
    names = [f"repository__issue-{i}" for i in range(300)]
    counts = Counts.of(names, ATTEMPTS, generator.binomial(ATTEMPTS, generator.beta(0.2, 2, 300)))
    right = int(counts.c.sum())
    summary = summarise(counts, {"correct": right, "wrong": int(counts.n.sum()) - right})
    examples = tuple(Example(names[i], i, "wrong", "x" * 10_000) for i in range(32))
    page = render(ReportData("300 problems", summary, "k: 10000\n", (), examples), draw(summary))
    seconds, megabytes = time.perf_counter() - started, len(page.encode()) / 1e6
    return [
        Result("report of 300 x 10,000, size", megabytes, "MB", target=below(megabytes, 3, "MB")),
        Result("report of 300 x 10,000, time", seconds, "s", target=below(seconds, 10, "s")),
    ]


def main() -> int:
    """Measure everything and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", type=Path, nargs="*", help="folders with sets of at least 10,000 outcomes per problem"
    )
    parser.add_argument("--repeats", type=int, default=20, help="subsamples per set and n")
    arguments = parser.parse_args()
    by_folder = {str(folder): read_sets(folder) for folder in arguments.folders} or {"synthetic": synthetic_sets()}
    for folder, found in by_folder.items():
        if not found:
            parser.error(f"{folder}: no set has {ATTEMPTS:,} outcomes for every problem")
    sets = {name: counts for found in by_folder.values() for name, counts in found.items()}
    results = [exactness(), *published(sets), *speed(), *report_page()]
    pooled = [entry for found in by_folder.values() for entry in backtest(found, arguments.repeats)]
    if len(by_folder) > 1:
        show("all folders", pooled)
    if arguments.folders:
        results += forecast_results(pooled)
    print("\nSynthetic sets without targets, some of which are hard to forecast")
    backtest(hard_to_forecast(), max(1, arguments.repeats // 4))
    print()
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
