"""Forecasts of what votes and best of k deliver beyond the samples drawn, against simple rules.

    python benchmarks/selection_forecast.py [FILE ...] [--repetitions 4]

Simulated: 100 samples of 40 problems, forecasts at k = 200 and 1,000. Rates are as in `calibration.py`. For votes, the
wrong samples of every second problem share five answers, those of the others up to 60. For best of k, scores relate to
correctness in nine ways, for weighted votes in six. The methods were chosen on the first group of each (`CHOSEN_ON`,
`SCORES_CHOSEN_ON`, `WEIGHTS_CHOSEN_ON`); the others were set aside. FILE has graded samples, in a format of
`monkeys pick`: forecasts are from an eighth of them, or from half where there are fewer than 80, to all.

*As at n* is the measured accuracy of all samples, which for majority is the modal ceiling. *Log-linear* goes on as from
n/2 to n, and *frequencies* draws votes from the frequencies of the answers. Errors are root mean squares in points of
accuracy. Exits with 1 if the product's forecast is not better than the first two on the kinds set aside, or if its 90 %
intervals hold less than 85 % there.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from calibration_table import CHOSEN_ON, SET_ASIDE
from scipy.special import expit, logit
from scipy.stats import gumbel_r, laplace, norm, t

from flows.setup.picking import from_files
from tasks.scaling.arrays import Floats, Ints
from tasks.selection import Outcomes, Selector
from tasks.selection.available import available
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.forecast import forecast
from tasks.selection.majority import Majority
from tasks.selection.weighted_vote import WeightedVote

PROBLEMS, DRAWN, KS = 40, 100, np.array([200, 1_000])
LOWEST = 0.85
_WRONG = (np.full(5, 0.5), np.full(60, 0.15))
_VOTES, _WEIGHTED_VOTES = 2_000, 400
_GRID = 4_000


class Scores(NamedTuple):
    """How scores relate to correctness, for a problem's rate: `draw` takes the rate, a number of samples and a
    generator; `best` the rate and a k, and gives the true accuracy of the best of k."""

    draw: Callable[[float, int, np.random.Generator], tuple[Any, Floats]]
    best: Callable[[float, int], float]


def logistic(strength: float) -> Scores:
    """Standard normal scores; the log-odds of a correct sample rise by `strength` with each standard deviation."""

    def draw(rate: float, n: int, generator: np.random.Generator) -> tuple[Any, Floats]:
        scores = generator.standard_normal(n)
        return generator.random(n) < expit(_log_odds(rate) + strength * scores), scores

    def best(rate: float, k: int) -> float:
        middles = (np.arange(_GRID) + 0.5) / _GRID
        return float(expit(_log_odds(rate) + strength * norm.isf(-np.expm1(np.log(middles) / k))).mean())

    return Scores(draw, best)


def classes(right: Any, wrong: Any) -> Scores:
    """Scores of correct samples and of wrong ones have these distributions."""

    def draw(rate: float, n: int, generator: np.random.Generator) -> tuple[Any, Floats]:
        correct = generator.random(n) < rate
        return correct, np.where(correct, right.rvs(n, random_state=generator), wrong.rvs(n, random_state=generator))

    def best(rate: float, k: int) -> float:
        ends = np.unique(np.concatenate([each.isf(np.geomspace(1e-9, 1, _GRID)[:-1]) for each in (right, wrong)]))
        middles = (ends[1:] + ends[:-1]) / 2
        below = rate * right.cdf(ends) + (1 - rate) * wrong.cdf(ends)
        correct, all_of = rate * right.pdf(middles), (1 - rate) * wrong.pdf(middles)
        return float(np.diff(below**k) @ (correct / np.maximum(correct + all_of, 1e-300)))

    return Scores(draw, best)


SCORES_CHOSEN_ON = {
    "no signal": logistic(0.0),
    "logistic, 1": logistic(1.0),
    "wrong ones spread more": classes(norm(1.0, 0.5), norm(0.0, 1.0)),
    "t with 3 degrees, shifted by 1": classes(t(3, 1.0), t(3, 0.0)),
}
SCORES_SET_ASIDE = {
    "logistic, 2": logistic(2.0),
    "normal, shifted by 1": classes(norm(1.0, 1.0), norm(0.0, 1.0)),
    "normal, shifted by 2.5": classes(norm(2.5, 1.2), norm(0.0, 1.0)),
    "Laplace, shifted by 1": classes(laplace(1.0), laplace(0.0)),
    "Gumbel, shifted by 1": classes(gumbel_r(1.0), gumbel_r(0.0)),
}


Weights = Callable[[np.random.Generator, Any], Floats]
"""Takes a generator and which samples are correct, as 0 or 1, and gives their weights in a vote."""

WEIGHTS_CHOSEN_ON: dict[str, Weights] = {
    "no signal": lambda generator, correct: generator.random(correct.shape),
    "gamma, 1 more": lambda generator, correct: generator.gamma(2.0 + correct),
    "log-normal, 1": lambda generator, correct: np.exp(generator.normal(0.5 * correct, 1)),
}
WEIGHTS_SET_ASIDE: dict[str, Weights] = {
    "gamma, 3 more": lambda generator, correct: generator.gamma(2.0 + 3 * correct),
    "probability": lambda generator, correct: expit(generator.normal(1.0 * correct, 2)),
    "log-normal, 2": lambda generator, correct: np.exp(generator.normal(0.5 * correct, 2)),
}


class Errors:
    """Errors of forecasts by method, and whether the product's interval held."""

    def __init__(self) -> None:
        self.of: dict[str, list[Floats]] = defaultdict(list)
        self.held: list[Floats] = []
        self.width: list[Floats] = []

    def add(self, other: "Errors") -> None:
        """Take over the errors of other experiments."""
        for name, each in other.of.items():
            self.of[name] += each
        self.held += other.held
        self.width += other.width

    def forecast(self, selector: Selector, problems: Sequence[Outcomes], ks: Ints, truth: Floats) -> None:
        """Forecast the accuracy at each k, for which `truth` is known."""
        n = min(each.n for each in problems)
        found = forecast(selector, problems, ks)
        half, last = pick_curve(selector, problems, [max(1, n // 2), n]).accuracy.tolist()
        self.of["forecast"].append(np.array([each.value for each in found]) - truth)
        self.of["as at n"].append(last - truth)
        self.of["log-linear"].append(np.clip(last + (last - half) * np.log2(ks / n), 0, 1) - truth)
        if isinstance(selector, Majority):
            self.of["frequencies"].append(_by_frequencies(problems, ks) - truth)
        self.held.append(np.array([each.low <= true <= each.high for each, true in zip(found, truth, strict=True)]))
        self.width.append(np.array([each.high - each.low for each in found]))

    def rms(self) -> dict[str, Floats]:
        """Points of accuracy by method, shape (ks,)."""
        return {name: 100 * np.sqrt(np.mean(np.square(each), axis=0)) for name, each in self.of.items()}

    def __str__(self) -> str:
        errors = ", ".join(f"{name} {'/'.join(f'{e:.2f}' for e in each)}" for name, each in self.rms().items())
        held = "/".join(f"{each:.0%}" for each in np.mean(self.held, axis=0))
        return f"{errors}; held {held}, width {'/'.join(f'{e:.3f}' for e in np.mean(self.width, axis=0))}"

    @property
    def good(self) -> bool:
        """Whether the product's forecast beats the two simplest rules, and its interval holds."""
        means = {name: float(np.mean(each**2)) for name, each in self.rms().items()}
        better = means["forecast"] < min(means["as at n"], means["log-linear"])
        return better and float(np.mean(self.held)) >= LOWEST


def votes(kinds: dict[str, Callable[[np.random.Generator, int], Floats]], repetitions: int) -> Errors:
    """Majority on simulated kinds of rates."""
    total = Errors()
    for name, kind in kinds.items():
        generator, here = np.random.default_rng(0), Errors()
        for _ in range(repetitions):
            shares = _shares(kind, generator)
            truth = np.array([np.mean([_vote(each, k, generator) for each in shares]) for k in KS.tolist()])
            answers = [generator.choice(len(each), DRAWN, p=each) for each in shares]
            problems = [Outcomes(str(i), each == 0, each) for i, each in enumerate(answers)]
            here.forecast(Majority(), problems, KS, truth)
        total.add(here)
        print(f"majority, {name:<40} {here}", flush=True)
    return total


def weighted_votes(
    kinds: dict[str, Callable[[np.random.Generator, int], Floats]], weights: dict[str, Weights], repetitions: int
) -> Errors:
    """Weighted votes on simulated kinds of rates and weights."""
    total = Errors()
    for name, of in weights.items():
        generator, here = np.random.default_rng(0), Errors()
        for kind in kinds.values():
            for _ in range(repetitions):
                shares = _shares(kind, generator)
                truth = np.array([np.mean([_weighted(each, of, k, generator) for each in shares]) for k in KS.tolist()])
                answers = [generator.choice(len(each), DRAWN, p=each) for each in shares]
                problems = [
                    Outcomes(str(i), each == 0, each, {"score": of(generator, (each == 0).astype(np.float64))})
                    for i, each in enumerate(answers)
                ]
                here.forecast(WeightedVote(), problems, KS, truth)
        total.add(here)
        print(f"weighted vote, {name:<35} {here}", flush=True)
    return total


def best_of(
    kinds: dict[str, Callable[[np.random.Generator, int], Floats]], scores: dict[str, Scores], repetitions: int
) -> Errors:
    """Best of k on simulated kinds of rates and scores."""
    total = Errors()
    for name, of in scores.items():
        generator, here = np.random.default_rng(0), Errors()
        for kind in kinds.values():
            for _ in range(repetitions):
                rates = kind(generator, PROBLEMS).tolist()
                truth = np.array([np.mean([of.best(rate, k) for rate in rates]) for k in KS.tolist()])
                drawn = [of.draw(rate, DRAWN, generator) for rate in rates]
                problems = [Outcomes(str(i), right, None, {"score": each}) for i, (right, each) in enumerate(drawn)]
                here.forecast(BestOf(), problems, KS, truth)
        total.add(here)
        print(f"best of k, {name:<39} {here}", flush=True)
    return total


def measured(file: Path, repetitions: int) -> None:
    """From some of the samples of each problem to all."""
    problems = from_files([file], None, None).problems
    n = min(each.n for each in problems)
    some = n // 8 if n >= 80 else n // 2
    for selector in available(problems):
        generator, here = np.random.default_rng(0), Errors()
        truth = pick_curve(selector, problems, [n]).accuracy
        for _ in range(repetitions):
            few = [each.at(generator.choice(each.n, some, replace=False)) for each in problems]
            if forecast(selector, few, np.array([n])):
                here.forecast(selector, few, np.array([n]), truth)
        if here.held:
            print(f"{file.name}, {selector.label}, {some} to {n}: {here}", flush=True)


def _log_odds(rate: float) -> float:
    return float(logit(np.clip(rate, 1e-12, 1 - 1e-12)))


def _shares(kind: Callable[[np.random.Generator, int], Floats], generator: np.random.Generator) -> list[Floats]:
    """How frequent each answer of each problem is; the first one is correct."""
    found = []
    for number, rate in enumerate(kind(generator, PROBLEMS).tolist()):
        shares = np.append(rate, generator.dirichlet(_WRONG[number % 2]) * (1 - rate))
        found.append(shares / shares.sum())
    return found


def _weighted(shares: Floats, weights: Weights, k: int, generator: np.random.Generator) -> float:
    answers = generator.choice(len(shares), (_WEIGHTED_VOTES, k), p=shares)
    sums = np.zeros((_WEIGHTED_VOTES, len(shares)))
    of_samples = weights(generator, (answers == 0).astype(np.float64))
    np.add.at(sums, (np.arange(_WEIGHTED_VOTES)[:, None], answers), of_samples)
    return float((sums.argmax(axis=1) == 0).mean())


def _vote(shares: Floats, k: int, generator: np.random.Generator) -> float:
    counts = generator.multinomial(k, shares, _VOTES)
    tied = counts == counts.max(axis=1, keepdims=True)
    return float((tied[:, 0] / tied.sum(axis=1)).mean())


def _by_frequencies(problems: Sequence[Outcomes], ks: Ints) -> Floats:
    generator = np.random.default_rng(0)
    found = np.zeros(len(ks))
    for tally in (each.tally() for each in problems):
        if tally.values.any():
            for column, k in enumerate(ks.tolist()):
                counts = generator.multinomial(k, tally.votes / tally.votes.sum(), 200)
                tied = counts == counts.max(axis=1, keepdims=True)
                found[column] += float(((tied @ tally.values) / tied.sum(axis=1)).mean())
    return found / len(problems)


def main() -> int:
    """Print all errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", help="graded samples, in a format of `monkeys pick`")
    parser.add_argument("--repetitions", type=int, default=4)
    given = parser.parse_args()
    for file in given.files:
        measured(file, 5 * given.repetitions)
    good = True
    for name, kinds, scores, weights in (
        ("chosen on", CHOSEN_ON, SCORES_CHOSEN_ON, WEIGHTS_CHOSEN_ON),
        ("set aside", SET_ASIDE, SCORES_SET_ASIDE, WEIGHTS_SET_ASIDE),
    ):
        every = {
            "majority": votes(kinds, 2 * given.repetitions),
            "weighted vote": weighted_votes(kinds, weights, given.repetitions),
            "best of k": best_of(kinds, scores, given.repetitions),
        }
        print("\n".join(f"ALL {name}: {way}: {errors}" for way, errors in every.items()), flush=True)
        good = name == "chosen on" or all(each.good for each in every.values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
