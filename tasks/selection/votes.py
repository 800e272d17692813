"""Votes in the first k samples of given orders, which selectors that vote share."""

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes, Tally

# Sums that differ by less than this share of the largest possible sum are a tie: they may have been added in another
# order.
_TIE = 1e-12
# 0.28 of 25 samples are 7, and 0.28 * 25 is a little more.
_ROUNDING = 1e-9
# Sums that are held together.
_TOGETHER = 1 << 20


def winners(problem: Outcomes, orders: Ints, ks: Ints, weights: Floats | None = None) -> Floats:
    """The accuracy of the answer with the most votes, or the largest sum of weights, shape (orders, ks).

    Args:
        problem: the samples; those without an answer have no vote.
        orders: positions of samples, shape (orders, at least the largest k).
        ks: ascending.
        weights: of the samples' votes, shape (n,); None counts them.
    """
    return winners_of(problem.tally(), problem.voters, orders, ks, weights)


def winners_of(tally: Tally, voters: Ints, orders: Ints, ks: Ints, weights: Floats | None = None) -> Floats:
    """As `winners`, of samples of the classes `voters`, whose votes are `tally`."""
    if not len(tally.votes):
        return np.zeros((len(orders), len(ks)))
    slack = 0.0 if weights is None else float(tie_slack(weights, int(ks[-1]))[0])
    last, positive = int(ks[-1]), weights is None or bool(weights.min() > 0)
    rows = max(1, _TOGETHER // max(len(ks) * (len(tally.votes) + 1), last))
    found = np.zeros((len(orders), len(ks)))
    for start in range(0, len(orders), rows):
        some = orders[start : start + rows, :last]
        weight = None if weights is None else weights[some]
        sums = _sums(voters[some], ks, len(tally.votes), weight, positive=positive)
        found[start : start + rows] = shared(sums, tally.values, slack)
    return found


def winners_in_rows(voters: Ints, values: Floats, ks: Ints, weights: Floats, slack: Floats) -> Floats:
    """As `winners`, of samples of any problems.

    Args:
        voters: the answer classes of the samples in each order, shape (orders, at least the largest k).
        values: the accuracy of each answer, shape (orders, classes).
        ks: ascending.
        weights: of the samples' votes, shaped as `voters`.
        slack: how far a sum may be below the largest, and tie with it, shape (orders, 1).
    """
    classes, last, positive = values.shape[1], int(ks[-1]), bool(weights.min() > 0)
    rows = max(1, _TOGETHER // max(len(ks) * (classes + 1), last))
    found = np.zeros((len(voters), len(ks)))
    for start in range(0, len(voters), rows):
        of = slice(start, start + rows)
        sums = _sums(voters[of, :last], ks, classes, weights[of, :last], positive=positive)
        found[of] = shared(sums, values[of, :, None], slack[of, :, None])
    return found


def tie_slack(weights: Floats, k: int) -> Floats:
    """How far apart two sums of up to k weights may be, and tie; weights of shape (..., n), the result (..., 1)."""
    slack: Floats = _TIE * np.abs(weights).max(axis=-1, keepdims=True) * k
    return slack


def winners_among_best(
    problem: Outcomes, orders: Ints, ks: Ints, *, scores: Floats, weights: Floats, keep: float
) -> Floats:
    """As `winners`, but of the v samples with an answer among the first k, only the ceil(keep·v) with the highest
    scores vote, and those that tie with the last of these.

    Args:
        problem, orders, ks, weights: see `winners`.
        scores: finite, shape (n,).
        keep: above 0, at most 1.
    """
    tally = problem.tally()
    won = np.zeros((len(orders), len(ks)))
    if not len(tally.votes):
        return won
    # A sample's rank by its score; the lowest is 0. Without an answer, it is beyond all others.
    _, ranks = np.unique(scores, return_inverse=True)
    ranks = np.where(problem.voters < 0, len(scores), ranks.max() - ranks)
    slack = float(tie_slack(weights, int(ks[-1]))[0])
    classes = len(tally.votes)
    for column, k in enumerate(ks.tolist()):
        rows = max(1, _TOGETHER // max(k, classes))
        for start in range(0, len(orders), rows):
            some = orders[start : start + rows, :k]
            ranked = ranks[some]
            voting = (ranked < len(scores)).sum(axis=1)
            last = number_that_votes(voting, keep) - 1
            bound = np.take_along_axis(np.sort(ranked, axis=1), last[:, None], axis=1)
            row, place = np.nonzero((ranked <= bound) & (ranked < len(scores)))
            chosen = some[row, place]
            cells = row * classes + problem.voters[chosen]
            shape = (len(some), 1, classes)
            sums = np.bincount(cells, weights[chosen], minlength=len(some) * classes).reshape(shape)
            votes = np.bincount(cells, minlength=len(some) * classes).reshape(shape)
            won[start : start + rows, column] = shared(np.where(votes > 0, sums, -np.inf), tally.values, slack)[:, 0]
    return won


def number_that_votes(voters: Ints, keep: float) -> Ints:
    """How many of this many samples vote if a share of them does: at least one."""
    number: Ints = np.maximum(np.ceil(keep * voters - _ROUNDING).astype(np.int64), 1)
    return number


def shared(sums: Floats, values: Floats, slack: Floats | float) -> Floats:
    """The mean accuracy of the answers that tie for the largest sum, shape (orders, ks); 0 where there is none. The
    answers' accuracies have shape (classes,), or (orders, classes, 1) where each order has its own."""
    most = sums.max(axis=2, keepdims=True)
    tied = (sums >= most - slack) & ~np.isneginf(most)
    right = tied @ values
    accuracy: Floats = right.reshape(tied.shape[:2]) / np.maximum(tied.sum(axis=2), 1)
    return accuracy


def _sums(voters: Ints, ks: Ints, classes: int, weights: Floats | None, *, positive: bool) -> Floats:
    """Sums of votes by answer, shape (orders, ks, classes), -inf where there is no vote; of the classes of the samples
    in each order, shape (orders, largest k), and their weights."""
    orders, last = voters.shape
    # Votes of samples without an answer go to one more class, which is dropped.
    cells = np.where(voters < 0, classes, voters)
    cells += np.searchsorted(ks, np.arange(last), side="right") * (classes + 1)
    cells += np.arange(orders)[:, None] * (len(ks) * (classes + 1))

    def summed(weights: Floats | None) -> Floats:
        weight = None if weights is None else weights.ravel()
        sums = np.bincount(cells.ravel(), weight, minlength=orders * len(ks) * (classes + 1))
        return sums.reshape(orders, len(ks), classes + 1)[:, :, :classes].cumsum(axis=1, dtype=np.float64)

    sums = summed(weights)
    sums[sums == 0 if positive else summed(None) == 0] = -np.inf
    return sums
