"""What stopping at a settled vote saves and loses: samples not drawn, and accuracy lost, against k samples of each
problem.

    python benchmarks/stopping.py [ANSWERS ...] [--rates COUNTS.csv] [--k 100] [--repeats 200]

A sweep is simulated by drawing samples of each problem without replacement from those that are stored; the budget
`vote` and the fixed k see the same samples in the same order, so that differences between them are paired. The rival is
the majority vote of the same number of samples for every problem, as many as the budget takes on average. ANSWERS are
tables as for `monkeys pick`, with k at most their smallest n. The other sets have simulated answers: problems with the
rates in COUNTS.csv (problem, samples, correct), or three kinds of synthetic ones.

The confidence is chosen on every second problem: the smallest whose loss there is at most 0.5 points. Figures are those
of the other problems. Exits with 1 if a target is missed.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from results import Result, at_least, at_most, report

from tasks.files.answers import read_answers
from tasks.report.picking.outcomes import in_classes
from tasks.scaling.arrays import Floats
from tasks.selection import Outcomes
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority
from tasks.sweep.budgets import VoteConfig

CONFIDENCES = (0.8, 0.9, 0.95, 0.99, 0.999)
MAX_LOSS_CHOSEN, MAX_LOSS, MIN_SAVED = 0.5, 1.0, 30.0
ANSWERS_EACH = 400


class Stopped(NamedTuple):
    """Per problem, means over simulated sweeps: the samples drawn, and the accuracy of the vote where it was settled
    and of the vote of all k, each of shape (problems,)."""

    samples: Floats
    accuracy: Floats
    whole: Floats

    @property
    def loss(self) -> float:
        """Points of accuracy lost to the vote of all k."""
        return 100 * float((self.whole - self.accuracy).mean())


def simulated(problems: Sequence[Outcomes], budget: VoteConfig, k: int, repeats: int, seed: int = 0) -> Stopped:
    """Sweeps of the problems with the budget and with k samples of each, on the same samples."""
    ends = budget.plan(k).ends
    columns = np.zeros((3, len(problems)))
    for position, problem in enumerate(problems):
        generator = np.random.default_rng([seed, position])
        classes = int(problem.voters.max(initial=0)) + 1
        for _ in range(repeats):
            order = generator.permutation(problem.n)[:k]
            for end in ends:
                votes, right = _votes(problem, order[:end], classes)
                if budget.settled(np.sort(votes)[::-1][:2].tolist() if votes.any() else []):
                    break
            whole = _delivered(*_votes(problem, order, classes))
            columns[:, position] += (end, _delivered(votes, right), whole)
    return Stopped(*(columns / repeats))


def _votes(problem: Outcomes, drawn: np.ndarray, classes: int) -> tuple[Floats, Floats]:
    """Votes by answer, and how many of them are correct."""
    voters = problem.voters[drawn]
    voting = voters >= 0
    votes = np.bincount(voters[voting], minlength=classes).astype(np.float64)
    right = np.bincount(voters[voting], weights=problem.correct[drawn][voting], minlength=classes)
    return votes, right.astype(np.float64)


def _delivered(votes: Floats, right: Floats) -> float:
    leading = votes == votes.max()
    return float((right[leading] / np.maximum(votes[leading], 1)).mean())


def with_answers(rates: Floats, seed: int, answers: int = 30) -> list[Outcomes]:
    """Problems with these rates of correct samples, each with a few frequent wrong answers and many rare ones."""
    generator = np.random.default_rng(seed)
    found = []
    for number, rate in enumerate(rates.tolist()):
        shares = generator.dirichlet(np.full(answers - 1, 0.3))
        wrong = 1 + generator.choice(answers - 1, ANSWERS_EACH, p=shares)
        classes = np.where(generator.random(ANSWERS_EACH) < rate, 0, wrong)
        found.append(Outcomes(f"p{number}", classes == 0, classes.astype(np.int64)))
    return found


def read_rates(path: Path) -> Floats:
    """The rate of each problem in a table of counts."""
    with path.open(encoding="utf-8", newline="") as file:
        return np.array([int(row["correct"]) / int(row["samples"]) for row in csv.DictReader(file)])


def results_of(name: str, problems: Sequence[Outcomes], k: int, repeats: int, saved_on: list[float]) -> list[Result]:
    """The table's rows for one set; appends the share of samples saved to `saved_on`."""
    k = min(k, *(problem.n for problem in problems))
    chosen_on, reported_on = problems[::2], problems[1::2]
    tried = {
        confidence: simulated(chosen_on, VoteConfig(confidence=confidence), k, repeats) for confidence in CONFIDENCES
    }
    chosen = next((each for each, stopped in tried.items() if stopped.loss <= MAX_LOSS_CHOSEN), CONFIDENCES[-1])
    found = []
    for confidence in sorted({chosen, 0.95}):
        stopped = simulated(reported_on, VoteConfig(confidence=confidence), k, repeats, seed=1)
        equal = max(1, round(stopped.samples.mean()))
        rival = 100 * float(pick_curve(Majority(), reported_on, [equal], seed=2).accuracy[0])
        accuracy, whole = 100 * float(stopped.accuracy.mean()), 100 * float(stopped.whole.mean())
        saved = 100 * (1 - float(stopped.samples.mean()) / k)
        how = "chosen" if confidence == chosen else "default"
        lost = whole - accuracy
        found += [
            Result(f"{name}, k = {k}, confidence {confidence:g} ({how}): samples not drawn", saved, "%"),
            Result("    accuracy lost to k of each problem", lost, "points", target=at_most(lost, MAX_LOSS, "points")),
            Result(f"    accuracy, rival: {equal} of each", accuracy, "%", rival, accuracy / rival),
        ]
        if confidence == chosen:
            saved_on.append(saved)
    return found


def main() -> int:
    """Run, print the table, and say by the exit status whether targets were met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", nargs="*", type=Path)
    parser.add_argument("--rates", type=Path)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=200)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    sets = {path.stem: list(in_classes(read_answers([path]), None).problems) for path in arguments.answers}
    if arguments.rates is not None:
        sets[arguments.rates.stem] = with_answers(read_rates(arguments.rates), seed=1)
    for name, (alpha, beta) in {"hard": (0.3, 2.0), "middling": (0.7, 1.0), "easy": (2.0, 1.0)}.items():
        sets[f"synthetic, {name}"] = with_answers(generator.beta(alpha, beta, 128), seed=2)
    saved: list[float] = []
    found = [
        row
        for name, problems in sets.items()
        for row in results_of(name, problems, arguments.k, arguments.repeats, saved)
    ]
    mean = float(np.mean(saved))
    found.append(Result("mean over the sets: samples not drawn", mean, "%", target=at_least(mean, MIN_SAVED, "%")))
    return report(found)


if __name__ == "__main__":
    sys.exit(main())
