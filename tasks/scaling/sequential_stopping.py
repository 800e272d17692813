"""Unbiased pass@k where an adaptive budget stopped sampling each problem depending on its outcomes.

Samples come in rounds, and a problem stops after the first round in which its number of correct samples reaches that
round's limit. The plain estimate c / n would then be biased, because a lucky streak ends the sampling. Girshick,
Mosteller and Savage (1946) give the unbiased estimator. All orders of outcomes that lead to the point where a problem
stopped are equally likely, so the share of those orders that begin with k failures is an unbiased estimate of (1-p)^k.
Every limit is at least 1, so k failures in a row never stop a problem, and this holds for every k up to the last round,
even for k > n: a stopped problem had a success among its first n. If no problem stops early the share is
C(n-c, k) / C(n, k), the usual estimator.

The limits must be fixed before any sample is seen, and each problem's stopping may depend on its own outcomes only.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.scaling.arrays import Floats, Ints


class Plan(NamedTuple):
    """When problems stop, fixed before any sample is seen: after `ends[i]` samples if `limits[i]` or more are correct.
    The last end is the largest k, where every problem stops."""

    ends: tuple[int, ...]
    limits: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Rounds:
    """The rounds of an adaptive budget. `ends` (rounds,) is the number of samples per problem after each round, the
    last being the largest k; a problem stops after a round with `limits` (rounds,) or more correct samples. `graded`
    (problems, rounds) is how many samples were graded by then: fewer than `ends` if a sandbox failed. Entries after the
    round at which a problem stopped are not read."""

    ends: Ints
    limits: Ints
    graded: Ints

    def of(self, problems: Ints) -> "Rounds":
        """The same for some of the problems, by position."""
        return Rounds(self.ends, self.limits, self.graded[problems])

    def stopped(self, n: Ints, c: Ints) -> NDArray[np.bool_]:
        """Which problems have stopped at these n; shape (problems,)."""
        has_stopped: NDArray[np.bool_] = ((self.graded == n[:, None]) & (c[:, None] >= self.limits)).any(axis=1)
        return has_stopped

    def reach(self, n: Ints, c: Ints) -> int:
        """The largest k that can be estimated for every problem."""
        running = n[~self.stopped(n, c)]
        return int(min(self.ends[-1], running.min())) if len(running) else int(self.ends[-1])


def drawn(limit: int, rates: Floats, plan: Plan | Rounds, generator: np.random.Generator) -> tuple[Ints, Ints, Rounds]:
    """n, c and rounds of problems that are solved at these rates, each of which gets at most `limit` samples."""
    ends, limits = np.asarray(plan.ends), np.asarray(plan.limits)
    looks = np.tile(np.minimum(ends, limit), (len(rates), 1))
    gained = generator.binomial(np.diff(looks, prepend=0, axis=1), rates[:, None])
    return (*first_stops(looks, gained.cumsum(axis=1), limits), Rounds(ends, limits, looks))


def first_stops(graded: Ints, correct: Ints, limits: Ints) -> tuple[Ints, Ints]:
    """n and c at the round where each problem stops; from both after every round, shape (problems, rounds)."""
    stops = correct >= limits
    stops[:, -1] = True
    at = stops.argmax(axis=1)[:, None]
    return np.take_along_axis(graded, at, 1)[:, 0], np.take_along_axis(correct, at, 1)[:, 0]


def log_none_of(n: Ints, c: Ints, ks: Ints, rounds: Rounds) -> Floats:
    """log of the unbiased estimate of (1-p)^k, shape (problems, ks); NaN at every k for which no estimate exists."""
    values = np.full((len(c), len(ks)), np.nan)
    passed = np.where(rounds.graded < n[:, None], rounds.graded, -1)
    stops, group_of = np.unique(np.column_stack([n, passed]), axis=0, return_inverse=True)
    stopped = rounds.stopped(n, c)
    for group, (stop, *looks) in enumerate(stops.tolist()):
        rows = np.flatnonzero(group_of.ravel() == group)
        distinct, where = np.unique(c[rows], return_inverse=True)
        limits = [int(limit) for look, limit in zip(looks, rounds.limits, strict=True) if look >= 0]
        values[rows] = _orders(stop, [look for look in looks if look >= 0], limits, distinct, ks)[where]
        beyond = np.ix_(rows, ks > stop)
        values[beyond] = np.where(stopped[rows, None], -np.inf, np.nan)
    values[:, ks > rounds.ends[-1]] = np.nan
    return values


def _orders(stop: int, looks: list[int], limits: list[int], c: Ints, ks: Ints) -> Floats:
    """log of the share of orders ending at (stop, c), having gone on at each look, that begin with k failures; (c, ks).

    One row for each k, and a first one for all orders, is carried from look to look: log how many orders of outcomes
    lead to each count of correct samples that is below the limit.
    """
    starts = np.concatenate([[0], np.minimum(ks, stop)])
    begins_before = np.searchsorted(looks, starts, side="left")
    orders = np.full((len(starts), 1), -np.inf)
    at = 0
    for number, (look, limit) in enumerate(zip(looks, limits, strict=True)):
        width = min(limit, look + 1)
        orders = _extended(orders, look - at, np.arange(width))
        for row in np.flatnonzero(begins_before == number):
            orders[row] = _log_ways(look - int(starts[row]), width - 1)
        at = look
    final = _extended(orders, stop - at, c)
    for row in np.flatnonzero(begins_before == len(looks)):
        final[row] = _log_ways(stop - int(starts[row]), int(c.max()))[c]
    # Rounding must not make a share exceed 1.
    shares: Floats = np.minimum(final[1:] - final[0], 0.0).T
    return shares


def _extended(orders: Floats, more: int, c: Ints) -> Floats:
    """The orders after `more` further samples: from (starts, counts) to (starts, c), in logarithms."""
    gained = c[None, :] - np.arange(orders.shape[1])[:, None]
    ways = np.where(gained < 0, -np.inf, _log_ways(more, int(c.max(initial=0)))[np.maximum(gained, 0)])
    extended = np.empty((len(orders), len(c)))
    for row, so_far in enumerate(orders):  # one at a time: all at once could be gigabytes
        terms = so_far[:, None] + ways
        largest = terms.max(axis=0)
        with np.errstate(divide="ignore"):
            sums = np.log(np.exp(terms - np.where(np.isfinite(largest), largest, 0.0)).sum(axis=0))
        extended[row] = sums + largest
    return extended


def _log_ways(samples: int, most: int) -> Floats:
    """log C(samples, c) for c = 0..most; -inf where c > samples."""
    ways = np.full(most + 1, -np.inf)
    steps = np.arange(min(samples, most))
    ways[0] = 0.0
    ways[1 : len(steps) + 1] = np.cumsum(np.log((samples - steps) / (steps + 1)))
    return ways
