"""How many of the problems that no sample has solved yet are solved by k samples, as families of rates predict it."""

from functools import cached_property

import numpy as np
from scipy.special import betaln

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts
from tasks.scaling.families import Family, families, family, solved_by
from tasks.scaling.family_average import FamilyAverage, family_average
from tasks.scaling.mixtures import Mixture, fit_mixture

# Families of the point forecast, with their weights. Those that leave room for problems that are never solved, or that
# are all solved at once, say too little of the middle.
_OF_POINT = {"beta-binomial": 0.4, "logit-normal": 0.2, "logit extreme value": 0.4}
# Different numbers of samples are rounded down to at most this many, evenly spaced in log n.
_SIZES = 16


class Unsolved:
    """Counts seen as what is settled, and as problems that may be solved yet.

    `share` is the share of the problems without a success. Where there are none the chances are those that a problem
    without a success would have had.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        tried = counts.n[counts.c == 0]
        self.problems = len(counts)
        self.share = len(tried) / len(counts)
        if not len(tried):
            tried = np.array([counts.reach])
        sizes = np.unique(tried)
        if len(sizes) > _SIZES:
            sizes = np.unique(np.geomspace(sizes[0], sizes[-1], _SIZES).astype(np.int64))
        groups = np.searchsorted(sizes, tried, side="right") - 1
        self.sizes: Ints = sizes
        self.shares: Floats = np.bincount(groups, minlength=len(sizes)) / len(tried)

    def settled(self, ks: Ints) -> Floats:
        """The coverage at each k that follows from the samples drawn, shape (ks,): pass@k of problems with as many
        samples, and 1 for solved problems with fewer."""

        def known(some: Counts) -> Floats:
            measured = some.pass_at_k(np.minimum(ks, largest))
            return np.where(np.isnan(measured) | (ks > largest), (some.c > 0)[:, None], measured)

        largest = int(self._counts.n.max())
        if (ks > largest).all():
            return np.full(len(ks), float((self._counts.c > 0).mean()))
        return self._counts.mean_over_problems(known)

    def of_solved(self, ks: Ints) -> tuple[Floats, Floats]:
        """What the solved problems alone add to coverage at k, each of shape (ks,): the mean of their pass@k under
        Jeffreys' prior, divided by the number of all problems, and its variance."""
        solved = self._counts.c > 0
        pairs, times = np.unique(np.column_stack([self._counts.n, self._counts.c])[solved], axis=0, return_counts=True)
        right, wrong = pairs[:, 1:] + 0.5, (pairs[:, :1] - pairs[:, 1:]) + 0.5
        # The mean of (1-p)^k under a beta distribution is a ratio of two beta functions.
        once, twice = (np.exp(betaln(right, wrong + many * ks) - betaln(right, wrong)) for many in (1.0, 2.0))
        mean = times @ (1 - once) / self.problems
        variance = times @ np.maximum(twice - once**2, 0.0) / self.problems**2
        return mean, variance

    def chance(self, ks: Ints) -> Floats:
        """The expected share of the unsolved problems that is solved by k, shape (ks,)."""
        total = np.zeros(len(ks))
        for samples, share, rates in zip(self.sizes, self.shares, self._rates, strict=True):
            total += share * (solved_by(ks - samples) @ rates)
        return total

    def chances_by_tries(self, tried: Ints, k: int) -> Floats:
        """The chance that k samples in all solve a problem that failed `tried` times, shape (tried,)."""
        group = np.maximum(np.searchsorted(self.sizes, tried, side="right") - 1, 0)
        hits = solved_by(k - tried)
        chances: Floats = (hits * self._rates[group]).sum(axis=1)
        return chances

    @cached_property
    def average(self) -> FamilyAverage:
        """Every family, as the intervals weigh them."""
        return family_average(self._counts)

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """Every family, fitted."""
        return tuple(self._fitted(each) for each in families())

    def _fitted(self, each: Family) -> Mixture:
        return self._of_point.get(each.name) or fit_mixture(self._counts, each)

    @cached_property
    def _of_point(self) -> dict[str, Mixture]:
        return {name: fit_mixture(self._counts, family(name)) for name in _OF_POINT}

    @cached_property
    def _rates(self) -> Floats:
        """What is known of the rate of an unsolved problem, by how often it was tried; shape (sizes, grid)."""
        no_success = np.zeros_like(self.sizes)
        rates: Floats = sum(
            (weight * self._of_point[name].rates_of(self.sizes, no_success) for name, weight in _OF_POINT.items()),
            start=np.zeros(1),
        )
        return rates
