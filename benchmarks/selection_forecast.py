"""Can what selectors deliver be forecast beyond the samples drawn? Simple forecasts, against doing nothing.

    python benchmarks/selection_forecast.py [FILE]

Simulated: majority at k = 1,000 from 100 samples of 40 problems, rates as in `calibration.py`, five wrong answers.
*Frequencies* draws votes from the frequencies of the answers, *posterior* from their Dirichlet posterior, whose spread
gives a 90 % interval, and *ceiling* is the modal ceiling. FILE has scored samples of Qwen2.5-Math's evaluation: from 4
of the 8 samples of each problem, at k = 8, where *constant* is the accuracy at k = 4, and *log-linear* goes on as from
k = 2 to 4. No target: the product shows the plateau and the modal ceiling.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from calibration_table import CHOSEN_ON, SET_ASIDE

from flows.setup.picking import from_files
from tasks.scaling.arrays import Floats, Ints
from tasks.selection import Outcomes
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority

PROBLEMS, DRAWN, BEYOND, REPETITIONS = 40, 100, 1_000, 8
_PRIOR, _POSTERIOR_DRAWS, _Z = 0.1, 16, 1.645


def simulated() -> None:
    """Errors of forecasts of majority, by kind of rates."""
    generator = np.random.default_rng(0)
    for name, kind in (CHOSEN_ON | SET_ASIDE).items():
        errors: dict[str, list[float]] = defaultdict(list)
        held = 0
        for _ in range(REPETITIONS):
            rates = kind(generator, PROBLEMS)
            wrong = generator.dirichlet(np.full(5, 0.5), PROBLEMS) * (1 - rates[:, None])
            shares = np.column_stack([rates, wrong])
            shares /= shares.sum(axis=1, keepdims=True)
            right = np.eye(6)[0]
            truth = np.mean([_vote(each, right, BEYOND, 400, generator) for each in shares])
            votes = [generator.multinomial(DRAWN, each) for each in shares]
            posterior = np.array([_of_posterior(each, right, generator) for each in votes])
            spread = float(np.sqrt(posterior.var(axis=1, ddof=1).sum())) / PROBLEMS
            errors["frequencies"].append(
                float(np.mean([_vote(each / DRAWN, right, BEYOND, 400, generator) for each in votes]) - truth)
            )
            errors["posterior"].append(float(posterior.mean() - truth))
            modal = [(each == each.max()) for each in votes]
            errors["ceiling"].append(float(np.mean([each[0] / each.sum() for each in modal]) - truth))
            held += abs(errors["posterior"][-1]) <= _Z * spread + 1e-9
        print(f"{name:<28} {_shown(errors)}; 90% interval held {held} of {REPETITIONS}")


def measured(file: Path, repetitions: int = 30) -> None:
    """Errors at k = 8 from 4 samples of each problem."""
    generator = np.random.default_rng(0)
    problems = from_files([file], None, None).problems
    best_of = BestOf(score="pred_score")
    majority = float(pick_curve(Majority(), problems, [8]).accuracy[0])
    best = float(pick_curve(best_of, problems, [8]).accuracy[0])
    of_majority: dict[str, list[float]] = defaultdict(list)
    of_best: dict[str, list[float]] = defaultdict(list)
    for _ in range(repetitions):
        some = [each.at(generator.choice(each.n, 4, replace=False)) for each in problems]
        of_majority["frequencies"].append(float(np.mean([_more_votes(each, generator) for each in some])) - majority)
        of_majority["constant"].append(float(pick_curve(Majority(), some, [4]).accuracy[0]) - majority)
        two, four = pick_curve(best_of, some, [2, 4]).accuracy.tolist()
        of_best["constant"].append(four - best)
        of_best["log-linear"].append(2 * four - two - best)
    print(f"majority at 8 from 4         {_shown(of_majority)}")
    print(f"best of 8 from 4             {_shown(of_best)}")


def _vote(shares: Floats, values: Floats, k: int, draws: int, generator: np.random.Generator) -> float:
    counts = generator.multinomial(k, shares, draws)
    tied = counts == counts.max(axis=1, keepdims=True)
    return float(((tied @ values) / tied.sum(axis=1)).mean())


def _of_posterior(votes: Ints, right: Floats, generator: np.random.Generator) -> list[float]:
    drawn = generator.dirichlet(votes + _PRIOR, _POSTERIOR_DRAWS)
    return [_vote(each, right, BEYOND, 50, generator) for each in drawn]


def _more_votes(problem: Outcomes, generator: np.random.Generator) -> float:
    tally = problem.tally()
    if not len(tally.votes):
        return 0.0
    return _vote(tally.votes / tally.votes.sum(), tally.values, 8, 200, generator)


def _shown(errors: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} rms {np.sqrt(np.mean(np.square(each))):.4f}" for name, each in errors.items())


def main() -> None:
    """Print all errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="scored samples, a row a problem")
    given = parser.parse_args()
    simulated()
    if given.file:
        measured(given.file)


if __name__ == "__main__":
    main()
