"""Curves of the accuracy of selectors against k: exactness, variance and CPU time, compared with other estimators.

    python benchmarks/selection.py [--problems 128] [--samples 10000] [--answers 50]

The rivals are the one-order estimator (the selector's pick among the first k samples, in the order in which they were
drawn) and the mean over 100 random subsets for each k. The problems are synthetic. Run on one core. Exits with 1 if a
target is missed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the targets are for one core

import argparse
import sys
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
from results import Result, at_most, report

from tasks.scaling.estimators import log_spaced_ks
from tasks.selection import Outcomes, Selector
from tasks.selection.available import available
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority

MAX_SECONDS, MAX_ERROR, MAX_RATIO, MAX_DIFFERENCE = 60.0, 0.002, 0.1, 1e-12
SUBSETS = 100


def synthetic(problems: int, samples: int, answers: int, seed: int) -> list[Outcomes]:
    """Problems of every difficulty, each with a few frequent wrong answers and many rare ones."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(problems):
        rate = generator.beta(0.5, 1.0)
        shares = generator.dirichlet(np.full(answers - 1, 0.3))
        classes = np.where(generator.random(samples) < rate, 0, 1 + generator.choice(answers - 1, samples, p=shares))
        correct = classes == 0
        score = generator.gamma(2.0 + correct)
        passed = correct | (generator.random(samples) < 0.2)
        found.append(Outcomes(f"p{number}", correct, classes.astype(np.int64), {"score": score}, passed))
    return found


def exactness() -> Result:
    """The largest difference from the mean over all subsets, over all selectors, on small problems."""
    largest = 0.0
    for problem in synthetic(8, 10, 4, seed=1):
        for selector in available([problem]):
            curve = pick_curve(selector, [problem], np.arange(1, 11))
            for k in range(1, 11):
                orders = np.array(list(combinations(range(10), k)))
                truth = selector.picked(problem, orders, np.array([k])).mean()
                largest = max(largest, abs(float(curve.accuracy[k - 1]) - float(truth)))
    return Result("largest difference from the mean over all subsets", largest, target=at_most(largest, MAX_DIFFERENCE))


def speed(problems: list[Outcomes]) -> list[Result]:
    """CPU seconds of all selectors at about 40 values of k, and those of 100 random subsets for each k."""
    ks = log_spaced_ks(problems[0].n, 42)
    ours, theirs, error = 0.0, 0.0, 0.0
    for selector in available(problems):
        start = time.process_time()
        curve = pick_curve(selector, problems, ks)
        spent = time.process_time() - start
        ours, error = ours + spent, max(error, float(curve.error.max()))
        start = time.process_time()
        few = problems[: max(1, len(problems) // 16)]
        subsets(selector, few, ks)
        rival = (time.process_time() - start) * len(problems) / len(few)
        theirs += rival
        print(
            f"{selector.label}: {spent:.1f} s, standard error at most {curve.error.max():.4f}; "
            f"{SUBSETS} subsets for each k: {rival:.0f} s (from {len(few)} problems)"
        )
    figure = f"CPU time of all selectors at {len(ks)} values of k / {SUBSETS} subsets for each"
    return [
        Result(figure, ours, "s", theirs, theirs / ours, at_most(ours, MAX_SECONDS, "s")),
        Result("largest standard error of a mean over problems", error, target=at_most(error, MAX_ERROR)),
    ]


def subsets(selector: Selector, problems: list[Outcomes], ks: np.ndarray) -> np.ndarray:
    """The mean over 100 random subsets for each k, which is how the paper's authors compute it."""
    generator = np.random.default_rng(0)
    means = np.zeros(len(ks))
    for problem in problems:
        for column, k in enumerate(ks.tolist()):
            orders = np.array([generator.choice(problem.n, k, replace=False) for _ in range(SUBSETS)])
            means[column] += selector.picked(problem, orders, np.array([k])).mean() / len(problems)
    return means


def variance(repetitions: int) -> list[Result]:
    """The variance of three estimators of majority's accuracy at k = n/10, over independent draws of the samples."""
    n, k, selector = 200, 20, Majority()
    every = synthetic(16, 20 * n, 20, seed=3)
    generator = np.random.default_rng(4)
    rules: dict[str, Callable[[list[Outcomes]], float]] = {
        "ours": lambda some: float(pick_curve(selector, some, [k]).accuracy[0]),
        "one order": lambda some: float(
            np.mean([selector.picked(each, np.arange(k)[None, :], np.array([k])) for each in some])
        ),
        f"{SUBSETS} subsets": lambda some: float(subsets(selector, some, np.array([k]))[0]),
    }
    values: dict[str, list[float]] = {name: [] for name in rules}
    for _ in range(repetitions):
        drawn = [each.at(generator.choice(each.n, n, replace=False)) for each in every]
        for name, rule in rules.items():
            values[name].append(rule(drawn))
    spread = {name: float(np.var(each, ddof=1)) for name, each in values.items()}
    results = []
    for name in ("ours", f"{SUBSETS} subsets"):
        ratio = spread[name] / spread["one order"]
        figure = f"variance of majority@{k} of {n} samples: {name} / one order"
        target = at_most(ratio, MAX_RATIO) if name == "ours" else None
        results.append(Result(figure, spread[name], "", spread["one order"], ratio, target))
    return results


def main() -> int:
    """Measure everything and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=128)
    parser.add_argument("--samples", type=int, default=10_000, help="samples per problem")
    parser.add_argument("--answers", type=int, default=50, help="distinct answers per problem")
    parser.add_argument("--repetitions", type=int, default=150, help="draws of the samples, for the variance")
    given = parser.parse_args()
    results = [exactness(), *variance(given.repetitions)]
    return report(results + speed(synthetic(given.problems, given.samples, given.answers, seed=2)))


if __name__ == "__main__":
    sys.exit(main())
