"""Several weak verifiers as one: a logistic regression on samples whose truth is known.

The log-odds that a sample is correct are a weighted sum of what the verifiers say of it: 0 or 1 for a verdict, the
number itself for a score. Its error is that on problems which the weights were not fitted on: problems are split into
folds, and each fold is scored by the weights of the others. What is said of the combination therefore holds for new
problems, as long as they resemble these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.resampling import bootstrap_means_of, percentile_tail
from tasks.selection.best import best_of_k
from tasks.selection.limits import Interval
from tasks.selection.outcomes import Bools
from tasks.selection.verifier import Rates, VerifiedCounts, rates

FOLDS = 10
"""Problems are split into this many folds; where there are fewer problems, each is a fold."""
FEWEST_PROBLEMS = 5
"""With fewer problems no weights are fitted."""


@dataclass(frozen=True, eq=False)
class Signals:
    """What is known of the samples of one problem, in any order: whether each is `correct` in truth, and what each
    verifier says of it. Arrays have shape (n,); `verdicts` are 0 and 1, `scores` finite, by the verifier's name."""

    problem_id: str
    correct: Bools
    verdicts: Mapping[str, Bools]
    scores: Mapping[str, Floats]

    def values(self, name: str) -> Floats:
        """What a verifier says of each sample, as numbers."""
        found = self.verdicts[name] if name in self.verdicts else self.scores[name]
        return found.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Weights:
    """log-odds = intercept + sum of weight · value, over the verifiers by name."""

    intercept: float
    of: Mapping[str, float]

    def log_odds(self, problem: Signals) -> Floats:
        """The log-odds that each sample of a problem is correct, shape (n,)."""
        total = np.full(len(problem.correct), self.intercept)
        for name, weight in self.of.items():
            total += weight * problem.values(name)
        return total


def fit(problems: Sequence[Signals], names: Sequence[str]) -> Weights:
    """The weights with the largest likelihood, each problem counting as one observation, whatever its n.

    Values are scaled to a standard deviation of 1, and weights on that scale have a standard normal prior, so that they
    stay finite where a verifier makes no error on these samples.
    """
    from scipy.optimize import minimize  # as much to import as all else that a report needs of SciPy

    columns = np.column_stack([np.concatenate([each.values(name) for each in problems]) for name in names])
    correct = np.concatenate([each.correct for each in problems])
    share = np.concatenate([np.full(len(each.correct), 1 / len(each.correct)) for each in problems])
    middle = np.average(columns, axis=0, weights=share)
    spread = np.sqrt(np.average((columns - middle) ** 2, axis=0, weights=share))
    # A verifier that says the same of every sample has nothing to add, and gets the weight 0.
    scale = np.where(np.ptp(columns, axis=0) > 0, spread, np.inf)
    scaled = (columns - middle) / scale
    sign = np.where(correct, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margin = sign * (parameters[0] + scaled @ parameters[1:])
        slope = -share * sign * expit(-margin)
        gradient = np.concatenate([[slope.sum()], scaled.T @ slope + parameters[1:]])
        return float(-share @ log_expit(margin) + 0.5 * parameters[1:] @ parameters[1:]), gradient

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"gtol": 1e-9})
    weights = found.x[1:] / scale
    return Weights(float(found.x[0] - weights @ middle), dict(zip(names, weights.tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well a verifier, or the combination, does on problems that its weights were not fitted on.

    `rates` are those of accepting a sample where its probability of being correct is above 1/2; those of a verdict are
    its own. `accuracy` is that of the best of `k` samples by its number, ties shared; `behind`, by how much that of the
    combination is higher, with a paired interval over problems (None for the combination itself).
    """

    label: str
    rates: Rates
    k: int
    accuracy: float
    behind: Interval | None


@dataclass(frozen=True, slots=True)
class Combined:
    """Weights fitted on all problems, and what cross-validation by problem says: of the combination, and of each
    verifier alone."""

    weights: Weights
    folds: int
    combination: HeldOut
    alone: tuple[HeldOut, ...]


def combine(problems: Sequence[Signals], k: int, *, level: float = 0.95, seed: int = 0) -> Combined:
    """Fit weights on all verdicts and scores of the problems, and estimate their error by cross-validation by problem.

    Args:
        problems: their samples; each has the same verifiers.
        k: for the accuracy of the best of k samples; at most the smallest n.
        level: probability of the intervals.
        seed: seed of the folds and of the intervals.

    Raises:
        UserError: there are fewer than two verifiers or too few problems, or all samples are correct, or none is.
    """
    names = [*problems[0].verdicts, *problems[0].scores] if problems else []
    if len(names) < 2:
        raise UserError(f"there is only one verifier to combine ({names[0]})" if names else "there are no verifiers")
    if len(problems) < FEWEST_PROBLEMS:
        raise UserError(
            f"weights need at least {FEWEST_PROBLEMS} problems whose truth is known; there are {len(problems)}"
        )
    shares = {float(each.correct.mean()) for each in problems}
    if shares in ({0.0}, {1.0}):
        raise UserError(f"all samples are {'correct' if shares == {1.0} else 'wrong'}: there is nothing to learn")
    folds = _folds(len(problems), seed)
    ks = np.array([k])
    together = _held_out(problems, names, folds)
    best = _accuracies(problems, together, ks)
    alone = []
    for name in names:
        said = [each.values(name) for each in problems]
        accuracies = _accuracies(problems, said, ks)
        accepted = (
            [each.verdicts[name] for each in problems]
            if name in problems[0].verdicts
            else _accepted(_held_out(problems, [name], folds))
        )
        behind = _mean(best - accuracies, level, seed)
        alone.append(HeldOut(name, _rates(problems, accepted, level, seed), k, float(accuracies.mean()), behind))
    combination = HeldOut("combined", _rates(problems, _accepted(together), level, seed), k, float(best.mean()), None)
    return Combined(fit(problems, names), len(np.unique(folds)), combination, tuple(alone))


def _folds(problems: int, seed: int) -> Ints:
    """The fold of each problem: of equal size, at random."""
    shuffled: Ints = np.random.default_rng(seed).permutation(problems) % min(FOLDS, problems)
    return shuffled


def _held_out(problems: Sequence[Signals], names: Sequence[str], folds: Ints) -> list[Floats]:
    """The log-odds of each problem's samples by weights that were fitted on the other folds."""
    by_fold = {
        fold: fit([each for each, its in zip(problems, folds, strict=True) if its != fold], names)
        for fold in np.unique(folds).tolist()
    }
    return [by_fold[fold].log_odds(each) for each, fold in zip(problems, folds.tolist(), strict=True)]


def _accepted(log_odds: Sequence[Floats]) -> list[Bools]:
    return [each > 0 for each in log_odds]


def _accuracies(problems: Sequence[Signals], scores: Sequence[Floats], ks: Ints) -> Floats:
    """The accuracy of the best of k by a score, shape (problems, ks)."""
    return np.array([best_of_k(each.correct, score, ks) for each, score in zip(problems, scores, strict=True)])


def _rates(problems: Sequence[Signals], accepted: Sequence[Bools], level: float, seed: int) -> Rates:
    ids = [each.problem_id for each in problems]
    return rates(VerifiedCounts.of(ids, [each.correct for each in problems], accepted), level, seed)


def _mean(differences: Floats, level: float, seed: int) -> Interval:
    """The mean of differences, shape (problems, 1), with a percentile interval of the bootstrap over problems."""
    tail = percentile_tail(level, len(differences))
    low, high = np.quantile(bootstrap_means_of(differences, seed=seed)[:, 0], [tail, 1 - tail])
    return Interval(float(differences.mean()), float(low), float(high), level)
