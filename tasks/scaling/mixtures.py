"""Mixing distributions fitted to counts: each problem has its own rate p, drawn from a family of distributions.

Every family (`tasks.scaling.families`) is tabulated on one grid of logit p and on a grid of the family's parameters, so
that likelihood, posterior and prediction are matrix products. Priors are flat over a wide box: in the logarithm of
shapes and scales, in locations and shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts
from tasks.scaling.families import LOG_P, LOG_Q, Family, solved_by

# Settings along each axis for families of two, three and four parameters.
_COARSE, _FINE = {2: 31, 3: 13, 4: 7}, {2: 25, 3: 13, 4: 7}
# Settings whose posterior is smaller than this, relative to the largest, are left out of predictions.
_NEGLIGIBLE = 1e-5
_TINY = 1e-300


class Table(NamedTuple):
    """A family at some settings: (settings, parameters), and the weights there (settings, grid)."""

    settings: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class Parameter:
    """The posterior median of a parameter and its central interval."""

    name: str
    median: float
    low: float
    high: float


class Chances(NamedTuple):
    """How likely unsolved problems are to be solved by more samples.

    `means` (settings, ks) is the share of them that is solved by k at each setting of a family, and `posterior`
    (settings,) how likely the setting is. `variance` (ks,) is the variance of a problem's own chance around the mean.
    """

    means: Floats
    posterior: Floats
    variance: Floats


class Likelihoods(NamedTuple):
    """What distinct observations say of p: `values` (observations, grid), scaled so that the largest of each row is 1;
    the logarithms of these scales, `log_scales` (observations,); and how many problems have each, `times`
    (observations,)."""

    values: Floats
    log_scales: Floats
    times: Floats

    @classmethod
    def of_counts(cls, counts: Counts) -> "Likelihoods":
        """Every problem with its n and c."""
        pairs, times = np.unique(np.column_stack([counts.n, counts.c]), axis=0, return_counts=True)
        return cls(*_likelihood(pairs), times.astype(np.float64))

    @classmethod
    def of_rare_successes(cls, counts: Counts, several: int) -> "Likelihoods":
        """Problems with fewer than `several` successes with their n and c; others with n, and that c is not below it.

        For the latter, n is taken as fixed, also where a budget stopped at n because of c.
        """
        pairs, times = np.unique(np.column_stack([counts.n, np.minimum(counts.c, several)]), axis=0, return_counts=True)
        values, log_scales = _likelihood(pairs)
        often = pairs[:, 1] == several
        # The upper tail of a binomial distribution is an incomplete beta function.
        values[often] = betainc(several, pairs[often, :1] - several + 1, np.exp(LOG_P))
        log_scales[often] = 0.0
        return cls(values, log_scales, times.astype(np.float64))

    def log_likelihood(self, table: Table) -> Floats:
        """The log-likelihood at each setting of a table, without the binomial coefficients, shape (settings,)."""
        likelihood: Floats = np.log(np.maximum(table.weights @ self.values.T, _TINY)) @ self.times
        return likelihood + float(self.log_scales @ self.times)


@dataclass(frozen=True, eq=False)
class Mixture:
    """A family fitted to counts: `posterior` over the settings of `table`, shape (settings,)."""

    family: Family
    table: Table
    posterior: Floats

    def parameters(self, level: float = 0.95) -> tuple[Parameter, ...]:
        """Each parameter with its interval at probability `level`."""
        tail = (1 - level) / 2
        found = []
        natural = self.family.natural(self.table.settings)
        for name, values in zip(self.family.parameters, natural.T, strict=True):
            places, where = np.unique(values, return_inverse=True)
            cumulative = np.cumsum(np.bincount(where.ravel(), self.posterior))
            # Each place stands for the stretch up to its neighbours: half of its weight is below its middle.
            middles = cumulative - np.diff(cumulative, prepend=0.0) / 2
            low, median, high = np.interp([tail, 0.5, 1 - tail], middles, places)
            found.append(Parameter(name, float(median), float(low), float(high)))
        return tuple(found)

    @cached_property
    def weights(self) -> Floats:
        """The mixing distribution on the grid of p, averaged over the posterior."""
        mean: Floats = self.posterior @ self.table.weights
        return mean

    def coverage(self, ks: ArrayLike) -> Floats:
        """Expected coverage at k of new problems from the same source, shape (ks,)."""
        return coverage_under(self.weights, ks)

    def rates_of(self, n: Ints, c: Ints) -> Floats:
        """What is known of the p of problems with these counts, averaged over the posterior of the parameters; shape
        (problems, grid)."""
        likelihood, _ = _likelihood(np.column_stack([n, c]))
        evidence = np.maximum(self.table.weights @ likelihood.T, _TINY)
        rates = likelihood * ((self.posterior[:, None] / evidence).T @ self.table.weights)
        normalized: Floats = rates / np.maximum(rates.sum(axis=1, keepdims=True), _TINY)
        return normalized

    def chances_of_unsolved(self, tried: Ints, shares: Floats, ks: Ints) -> Chances:
        """How likely problems without a success are solved by k samples in all.

        Args:
            tried: the samples that some of these problems have, all of them failures, shape (groups,).
            shares: the share of the problems with that number of samples, shape (groups,).
            ks: shape (ks,); where k is not above `tried`, nothing more is drawn.
        """
        kept = self.posterior > _NEGLIGIBLE * self.posterior.max()
        weights, posterior = self.table.weights[kept], self.posterior[kept]
        means, variance = np.zeros((len(weights), len(ks))), np.zeros(len(ks))
        for samples, share, rates in zip(tried, shares, self.rates_of(tried, np.zeros_like(tried)), strict=True):
            solved = solved_by(ks - samples)
            joint = weights * np.exp(samples * LOG_Q)
            evidence = joint.sum(axis=1, keepdims=True)
            # A setting that all but rules out such problems has rates so large that one sample more solves them.
            sure = evidence[:, 0] < _TINY
            chances = (joint @ solved.T) / np.maximum(evidence, _TINY)
            chances[sure] = ks > samples
            means += share * chances
            variance += share * (solved**2 @ rates - (solved @ rates) ** 2)
        return Chances(means, posterior / posterior.sum(), np.maximum(variance, 0.0))


def fit_mixture(counts: Counts, family: Family) -> Mixture:
    """The posterior of a family's parameters given n and c of every problem.

    Tabulated twice: over the whole box, then over the part of it that holds the posterior.
    """
    likelihoods = Likelihoods.of_counts(counts)
    whole = coarse(family)
    box = _narrowed(family, whole.settings, likelihoods.log_likelihood(whole))
    fine = _tabulate(family, box, _FINE[len(family.axes)])
    log_posterior = likelihoods.log_likelihood(fine)
    posterior = np.exp(log_posterior - log_posterior.max())
    return Mixture(family, fine, posterior / posterior.sum())


def fit_nonparametric(counts: Counts, rounds: int = 500) -> Floats:
    """The mixing distribution of largest likelihood with no shape assumed, by expectation maximisation.

    Returns:
        Coverage weights on the grid of p, to be read by `coverage_under`. Good inside the data; it knows nothing of
        rates far below 1/n.
    """
    found = Likelihoods.of_counts(counts)
    often = found.times / len(counts)
    weights = np.full(len(LOG_P), 1 / len(LOG_P))
    for _ in range(rounds):
        weights = weights * (found.values.T @ (often / (found.values @ weights)))
    return weights


def coverage_under(weights: Floats, ks: ArrayLike) -> Floats:
    """Coverage at each k, shape (ks,), of a mixing distribution on the grid of p."""
    expected: Floats = solved_by(ks) @ weights
    return expected


@cache
def coarse(family: Family) -> Table:
    """The family tabulated over the whole box of its prior."""
    return _tabulate(family, family.axes, _COARSE[len(family.axes)])


def _tabulate(family: Family, box: Sequence[tuple[float, float]], points: int) -> Table:
    axes = [np.linspace(low, high, points) for low, high in box]
    settings = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return Table(settings, family.tabulate(settings))


def _narrowed(family: Family, settings: Floats, log_posterior: Floats) -> list[tuple[float, float]]:
    """The part of the box outside which no setting comes within a factor e^8 of the best, and a step around it."""
    near = settings[log_posterior > log_posterior.max() - 8]
    steps = [(high - low) / (_COARSE[len(family.axes)] - 1) for low, high in family.axes]
    return [
        (max(low, float(values.min()) - step), min(high, float(values.max()) + step))
        for (low, high), values, step in zip(family.axes, near.T, steps, strict=True)
    ]


def _likelihood(pairs: Ints) -> tuple[Floats, Floats]:
    """Binomial likelihoods of each pair (n, c) over the grid of p, shape (pairs, grid), and the logarithms of the
    largest of each row, by which it was divided, shape (pairs,)."""
    n, c = pairs[:, :1], pairs[:, 1:]
    with np.errstate(invalid="ignore"):
        log_likelihood: Floats = np.where(c == 0, 0.0, c * LOG_P) + (n - c) * LOG_Q
    log_scales: Floats = log_likelihood.max(axis=1, initial=-np.inf)
    likelihood: Floats = np.exp(log_likelihood - log_scales[:, None])
    return likelihood, log_scales
