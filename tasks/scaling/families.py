"""Families of mixing distributions, tabulated on one grid of logit p.

Coverage at k is the mean over problems of 1 - (1-p)^k, and how it grows is decided by the density of p near 0
(Schaeffer et al. 2025, arXiv 2502.17578; Kazdan et al. 2025, arXiv 2510.05197, fit the beta). The families differ in
what they say of rates too small to have been seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats

# logit p from 3e-10 to .9999; in front of it one point more for p = 0, problems that no sample solves.
_LOGIT = np.linspace(-22.0, 9.0, 311)
LOG_P = np.concatenate([[-np.inf], -np.logaddexp(0, -_LOGIT)])
LOG_Q = np.concatenate([[0.0], -np.logaddexp(0, _LOGIT)])


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


@cache
def families() -> tuple[Family, ...]:
    """The beta, the beta with never-solvable problems, the logit-normal, the left-skewed extreme value of logit p, the
    beta with problems of one rate, rates spread evenly in logit p between a lowest and a highest, and the beta
    truncated at a lowest rate."""
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
        Family(
            "beta-binomial with an atom",
            ("share of the atom", "rate of the atom", "alpha", "beta"),
            ((0.0, 0.95), (-16.0, -3.0), *shapes),
            _beta_with_atom,
            lambda settings: np.column_stack([settings[:, 0], _rate(settings[:, 1]), np.exp(settings[:, 2:])]),
        ),
        Family(
            "log-uniform",
            ("lowest", "highest"),
            ((-16.0, 4.0), (log(0.5), log(20))),
            _uniform,
            lambda settings: np.column_stack([_rate(settings[:, 0]), _rate(settings[:, 0] + np.exp(settings[:, 1]))]),
        ),
        Family(
            "truncated beta-binomial",
            ("lowest", "alpha", "beta"),
            ((-14.0, -2.0), *shapes),
            _truncated_beta,
            lambda settings: np.column_stack([_rate(settings[:, 0]), np.exp(settings[:, 1:])]),
        ),
    )


@cache
def family(name: str) -> Family:
    """The family of that name."""
    return next(candidate for candidate in families() if candidate.name == name)


def _place_and_scale(settings: Floats) -> Floats:
    return np.column_stack([settings[:, 0], np.exp(settings[:, 1])])


def _beta(settings: Floats) -> Floats:
    alpha, beta = np.exp(settings[:, :1]), np.exp(settings[:, 1:])
    return _spread(alpha * LOG_P[1:] + beta * LOG_Q[1:], left=alpha, right=beta)


def _inflated_beta(settings: Floats) -> Floats:
    never, rest = settings[:, :1], _beta(settings[:, 1:])
    weights = (1 - never) * rest
    weights[:, :1] += never
    return weights


def _beta_with_atom(settings: Floats) -> Floats:
    share, rest = settings[:, :1], _beta(settings[:, 2:])
    weights = (1 - share) * rest
    # The atom's weight is shared by the two points of the grid around it; the grid's first point is p = 0.
    places = (settings[:, 1] - _LOGIT[0]) / (_LOGIT[1] - _LOGIT[0])
    below, rows = places.astype(np.int64), np.arange(len(settings))
    weights[rows, below + 1] += settings[:, 0] * (1 - (places - below))
    weights[rows, below + 2] += settings[:, 0] * (places - below)
    return weights


def _truncated_beta(settings: Floats) -> Floats:
    alpha, beta = np.exp(settings[:, 1:2]), np.exp(settings[:, 2:])
    log_density = alpha * LOG_P[1:] + beta * LOG_Q[1:]
    return _spread(np.where(settings[:, :1] > _LOGIT, -np.inf, log_density), right=beta)


def _uniform(settings: Floats) -> Floats:
    lowest, half_step = settings[:, :1], (_LOGIT[1] - _LOGIT[0]) / 2
    highest = lowest + np.exp(settings[:, 1:])
    inside = np.minimum(_LOGIT + half_step, highest) - np.maximum(_LOGIT - half_step, lowest)
    weights = np.hstack([np.zeros((len(settings), 1)), np.maximum(inside, 0.0)])
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _rate(logit: Floats) -> Floats:
    rates: Floats = 1 / (1 + np.exp(-logit))
    return rates


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


def solved_by(ks: ArrayLike) -> Floats:
    """1 - (1-p)^k on the grid of p, 0 for k below 1; shape (ks, grid), or (grid,) for one k."""
    k = np.maximum(np.asarray(ks, dtype=np.float64), 0.0)
    hits: Floats = 0.0 - np.expm1(k[..., None] * LOG_Q)
    return hits
