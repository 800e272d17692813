"""Laws for the spread of pass rates over problems: each problem has its own rate p, drawn from a mixing distribution.

Coverage at k is then the mean of 1 - (1-p)^k, and how it grows is decided by the density near p = 0 (Schaeffer et al.
2025, arXiv 2502.17578; Kazdan et al. 2025, arXiv 2510.05197, fit the beta). Every family is tabulated on one grid of
logit p and on a grid of its own parameters, so that likelihood, posterior and prediction are matrix products, and the
posterior is exact on the grid: flat in the logarithm of scale-like parameters and in locations.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.estimators import Counts, Floats, Ints

# logit p from 3e-10 to .9999; in front of it one point more for p = 0, problems that no sample solves.
_LOGIT = np.linspace(-22.0, 9.0, 311)
_LOG_P = np.concatenate([[-np.inf], -np.logaddexp(0, -_LOGIT)])
_LOG_Q = np.concatenate([[0.0], -np.logaddexp(0, _LOGIT)])


@dataclass(frozen=True, eq=False)
class Family:
    """A kind of mixing distribution: `settings` of its parameters (settings, parameters) and the weights that each
    gives to the grid of p (settings, grid)."""

    name: str
    parameters: tuple[str, ...]
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
    """A family fitted to counts: `posterior` over its settings, shape (settings,), and the largest log-likelihood
    (without the binomial coefficients, which are the same for every family)."""

    family: Family
    counts: Counts
    posterior: Floats
    log_likelihood: float

    def parameters(self, level: float = 0.95) -> tuple[Parameter, ...]:
        """Each parameter with its interval at probability `level`."""
        tail = (1 - level) / 2
        found = []
        for name, values in zip(self.family.parameters, self.family.settings.T, strict=True):
            order = np.argsort(values, kind="stable")
            cumulative = np.cumsum(self.posterior[order])
            at = np.searchsorted(cumulative, [0.5 * cumulative[-1], tail, 1 - tail])
            median, low, high = values[order][np.minimum(at, len(values) - 1)]
            found.append(Parameter(name, float(median), float(low), float(high)))
        return tuple(found)

    @cached_property
    def weights(self) -> Floats:
        """The mixing distribution on the grid of p, averaged over the posterior."""
        mean: Floats = self.posterior @ self.family.weights
        return mean

    def coverage(self, ks: ArrayLike) -> Floats:
        """Expected coverage at k of new problems from the same source, shape (ks,)."""
        expected: Floats = _hits(ks) @ self.weights
        return expected

    @cached_property
    def known(self) -> Floats:
        """What is known of each problem's p given its counts, averaged over the posterior; shape (problems, grid)."""
        pairs, where = _distinct(self.counts)
        likelihood = _likelihood(pairs)
        evidence = np.maximum(self.family.weights @ likelihood.T, 1e-300)
        each: Floats = likelihood * ((self.posterior[:, None] / evidence).T @ self.family.weights)
        return each[where]

    def pass_at(self, ks: ArrayLike) -> Floats:
        """Expected pass@k of each of these problems, given its own counts; shape (problems, ks)."""
        expected: Floats = self.known @ _hits(np.atleast_1d(ks)).T
        return expected

    def coverage_of_these(self, ks: ArrayLike) -> Floats:
        """Expected coverage of these problems, given their counts; shape (ks,)."""
        expected: Floats = _hits(np.atleast_1d(ks)) @ self.known.mean(axis=0)
        return expected


def fit_mixture(counts: Counts, family: Family) -> Mixture:
    """The posterior of a family's parameters given n and c of every problem."""
    pairs, where = _distinct(counts)
    often = np.bincount(where, minlength=len(pairs)).astype(np.float64)
    likelihood, scale = _likelihood(pairs), _log_likelihood(pairs).max(axis=1, initial=-np.inf)
    log_evidence = np.log(np.maximum(family.weights @ likelihood.T, 1e-300)) @ often
    posterior = np.exp(log_evidence - log_evidence.max())
    return Mixture(family, counts, posterior / posterior.sum(), float(log_evidence.max() + scale @ often))


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
    expected: Floats = _hits(ks) @ weights
    return expected


@cache
def families() -> tuple[Family, ...]:
    """The beta, the beta with never-solvable problems, the logit-normal, the left-skewed extreme value of logit p."""
    log_alpha, log_beta = np.linspace(np.log(0.02), np.log(5), 41), np.linspace(np.log(0.05), np.log(200), 41)
    location, log_scale = np.linspace(-16, 6, 45), np.linspace(np.log(0.5), np.log(8), 31)
    beta = np.exp(np.array(list(product(log_alpha, log_beta))))
    place = np.array([(m, np.exp(s)) for m, s in product(location, log_scale)])
    inflated = np.array(
        [(z, np.exp(a), np.exp(b)) for z, a, b in product(np.linspace(0, 0.9, 10), log_alpha[::2], log_beta[::2])]
    )
    standard = (_LOGIT - place[:, :1]) / place[:, 1:]
    return (
        Family("beta-binomial", ("alpha", "beta"), beta, _spread(_beta(beta))),
        Family(
            "zero-inflated beta-binomial",
            ("never solvable", "alpha", "beta"),
            inflated,
            _spread(_beta(inflated[:, 1:]), inflated[:, 0]),
        ),
        Family("logit-normal", ("mean", "deviation"), place, _spread(-0.5 * standard**2)),
        Family(
            "logit extreme value",
            ("location", "scale"),
            place,
            _spread(standard - np.exp(np.minimum(standard, 50.0))),
        ),
    )


def family(name: str) -> Family:
    """The family of that name."""
    return next(candidate for candidate in families() if candidate.name == name)


def _beta(shape: Floats) -> Floats:
    """Log density in logit p of beta distributions, up to a constant; shape (settings, logits)."""
    log_density: Floats = shape[:, :1] * _LOG_P[1:] + shape[:, 1:] * _LOG_Q[1:]
    return log_density


def _spread(log_density: Floats, zero: Floats | None = None) -> Floats:
    """Weights on the grid of p, each row summing to 1, of which `zero` lies on p = 0."""
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    at_zero = np.zeros(len(density)) if zero is None else zero
    return np.column_stack([at_zero, (1 - at_zero)[:, None] * density])


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


def _hits(ks: ArrayLike) -> Floats:
    """1 - (1-p)^k on the grid of p; shape (ks, grid), or (grid,) for one k."""
    k = np.asarray(ks, dtype=np.float64)
    hits: Floats = -np.expm1(k[..., None] * _LOG_Q)
    return hits
