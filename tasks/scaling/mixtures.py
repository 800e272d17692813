"""Laws for the spread of pass rates over problems: each problem has its own rate p, drawn from a mixing distribution.

Coverage at k is then the mean of 1 - (1-p)^k, and how it grows is decided by the density near p = 0 (Schaeffer et al.
2025, arXiv 2502.17578; Kazdan et al. 2025, arXiv 2510.05197, fit the beta). Every family is tabulated on one grid of
logit p and on a grid of the family's parameters, so that likelihood, posterior and prediction are matrix products.
Priors are flat over a wide box: in the logarithm of shapes and scales, in locations and shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts

# Settings along each axis for families of two and of three parameters.
_COARSE, _FINE = {2: 31, 3: 13}, {2: 25, 3: 13}
# logit p from 3e-10 to .9999; in front of it one point more for p = 0, problems that no sample solves.
_LOGIT = np.linspace(-22.0, 9.0, 311)
_LOG_P = np.concatenate([[-np.inf], -np.logaddexp(0, -_LOGIT)])
_LOG_Q = np.concatenate([[0.0], -np.logaddexp(0, _LOGIT)])


@dataclass(frozen=True)
class Family:
    """A kind of mixing distribution. Its prior is flat on the box spanned by `axes`, one axis for each parameter, in
    the coordinates that `tabulate` takes: settings (settings, parameters) to weights on the grid of p (settings, grid).
    `natural` turns a setting into the parameters by their usual names."""

    name: str
    parameters: tuple[str, ...]
    axes: tuple[tuple[float, float], ...]
    tabulate: Callable[[Floats], Floats]
    natural: Callable[[Floats], Floats]


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


@dataclass(frozen=True, eq=False)
class Mixture:
    """A family fitted to counts: `posterior` over the settings of `table`, shape (settings,), and the largest
    log-likelihood (without the binomial coefficients, which are the same for every family)."""

    family: Family
    counts: Counts
    table: Table
    posterior: Floats
    log_likelihood: float

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
        expected: Floats = _pass_probability(ks) @ self.weights
        return expected

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints]:
        return _distinct(self.counts)

    @cached_property
    def known(self) -> Floats:
        """What is known of the p of a problem given its counts, averaged over the posterior of the parameters; one row
        for each distinct (n, c), shape (pairs, grid), since memory for one a problem would be gigabytes."""
        likelihood = _likelihood(self._pairs[0])
        evidence = np.maximum(self.table.weights @ likelihood.T, 1e-300)
        each: Floats = likelihood * ((self.posterior[:, None] / evidence).T @ self.table.weights)
        return each

    def pass_at(self, ks: ArrayLike) -> Floats:
        """Expected pass@k of each of these problems, given its own counts; shape (problems, ks)."""
        of_pairs: Floats = self.known @ _pass_probability(np.atleast_1d(ks)).T
        return of_pairs[self._pairs[1]]

    def coverage_of_these(self, ks: ArrayLike) -> Floats:
        """Expected coverage of these problems, given their counts; shape (ks,)."""
        where = self._pairs[1]
        shares = np.bincount(where, minlength=len(self.known)) / len(where)
        expected: Floats = _pass_probability(np.atleast_1d(ks)) @ (shares @ self.known)
        return expected


def fit_mixture(counts: Counts, family: Family) -> Mixture:
    """The posterior of a family's parameters given n and c of every problem.

    Tabulated twice: over the whole box, then over the part of it that holds the posterior.
    """
    pairs, where = _distinct(counts)
    often = np.bincount(where, minlength=len(pairs)).astype(np.float64)
    likelihood = _likelihood(pairs)
    scale = float(_log_likelihood(pairs).max(axis=1, initial=-np.inf) @ often)

    def log_evidence(table: Table) -> Floats:
        evidence: Floats = np.log(np.maximum(table.weights @ likelihood.T, 1e-300)) @ often
        return evidence

    table = _coarse(family)
    fine = _tabulate(family, _narrowed(family, table.settings, log_evidence(table)), _FINE[len(family.axes)])
    log_posterior = log_evidence(fine)
    posterior = np.exp(log_posterior - log_posterior.max())
    return Mixture(family, counts, fine, posterior / posterior.sum(), float(log_posterior.max()) + scale)


def fit_nonparametric(counts: Counts, rounds: int = 500) -> Floats:
    """The mixing distribution of largest likelihood with no shape assumed, by expectation maximisation.

    Returns:
        Coverage weights on the grid of p, to be read by `coverage_under`. Good inside the data; it knows nothing of
        rates far below 1/n.
    """
    pairs, where = _distinct(counts)
    often = np.bincount(where, minlength=len(pairs)) / len(counts)
    likelihood = _likelihood(pairs)
    weights = np.full(len(_LOG_P), 1 / len(_LOG_P))
    for _ in range(rounds):
        weights = weights * (likelihood.T @ (often / (likelihood @ weights)))
    return weights


def coverage_under(weights: Floats, ks: ArrayLike) -> Floats:
    """Coverage at each k, shape (ks,), of a mixing distribution on the grid of p."""
    expected: Floats = _pass_probability(ks) @ weights
    return expected


def families() -> tuple[Family, ...]:
    """The beta, the beta with never-solvable problems, the logit-normal, the left-skewed extreme value of logit p."""
    shapes = ((log(0.02), log(5)), (log(0.05), log(200)))
    places = ((-16.0, 6.0), (log(0.5), log(8)))
    return (
        Family("beta-binomial", ("alpha", "beta"), shapes, _beta, np.exp),
        Family(
            "zero-inflated beta-binomial",
            ("never solvable", "alpha", "beta"),
            ((0.0, 0.95), *shapes),
            _inflated_beta,
            lambda settings: np.column_stack([settings[:, 0], np.exp(settings[:, 1:])]),
        ),
        Family("logit-normal", ("mean", "deviation"), places, _normal, _place_and_scale),
        Family("logit extreme value", ("location", "scale"), places, _extreme_value, _place_and_scale),
    )


@cache
def family(name: str) -> Family:
    """The family of that name."""
    return next(candidate for candidate in families() if candidate.name == name)


@cache
def _coarse(family: Family) -> Table:
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


def _place_and_scale(settings: Floats) -> Floats:
    return np.column_stack([settings[:, 0], np.exp(settings[:, 1])])


def _beta(settings: Floats) -> Floats:
    alpha, beta = np.exp(settings[:, :1]), np.exp(settings[:, 1:])
    return _spread(alpha * _LOG_P[1:] + beta * _LOG_Q[1:], left=alpha, right=beta)


def _inflated_beta(settings: Floats) -> Floats:
    never, rest = settings[:, :1], _beta(settings[:, 1:])
    weights = (1 - never) * rest
    weights[:, :1] += never
    return weights


def _normal(settings: Floats) -> Floats:
    return _spread(-0.5 * ((_LOGIT - settings[:, :1]) / np.exp(settings[:, 1:])) ** 2)


def _extreme_value(settings: Floats) -> Floats:
    standard = (_LOGIT - settings[:, :1]) / np.exp(settings[:, 1:])
    return _spread(standard - np.exp(np.minimum(standard, 50.0)), left=np.exp(-settings[:, 1:]))


def _spread(log_density: Floats, left: Floats | None = None, right: Floats | None = None) -> Floats:
    """Weights on the grid of p, each row summing to 1, from a log density on the grid of logits.

    Where the density falls exponentially past an end of the grid, at rate `left` or `right`, the mass out there goes
    to p = 0 or to the last point: no k in use can tell the difference.
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    step = _LOGIT[1] - _LOGIT[0]
    below = np.zeros((len(density), 1)) if left is None else density[:, :1] / (left * step)
    if right is not None:
        density[:, -1:] += density[:, -1:] / (right * step)
    weights = np.hstack([below, density])
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _distinct(counts: Counts) -> tuple[Ints, Ints]:
    """The distinct (n, c), shape (pairs, 2), and which of them each problem has."""
    pairs, where = np.unique(np.column_stack([counts.n, counts.c]), axis=0, return_inverse=True)
    return pairs, where.ravel().astype(np.int64)


def _log_likelihood(pairs: Ints) -> Floats:
    n, c = pairs[:, :1], pairs[:, 1:]
    with np.errstate(invalid="ignore"):
        values: Floats = np.where(c == 0, 0.0, c * _LOG_P) + (n - c) * _LOG_Q
    return values


def _likelihood(pairs: Ints) -> Floats:
    """Binomial likelihoods of each pair over the grid of p, the largest of each row set to 1; shape (pairs, grid)."""
    log_likelihood = _log_likelihood(pairs)
    likelihood: Floats = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True, initial=-np.inf))
    return likelihood


def _pass_probability(ks: ArrayLike) -> Floats:
    """1 - (1-p)^k on the grid of p; shape (ks, grid), or (grid,) for one k."""
    k = np.asarray(ks, dtype=np.float64)
    hits: Floats = -np.expm1(k[..., None] * _LOG_Q)
    return hits
