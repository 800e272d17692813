"""Curves of one model family look like one curve shifted in log k (arXiv 2407.21787, figure 6): by how much, how well.

A shift means that one model needs a fixed multiple of the samples of another, at every coverage.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Curve

# A shift is looked for among those that leave at least this much of the shorter curve to compare.
_LEAST_OVERLAP = 0.4
# Shifts tried over the whole range, and then within a step of the best.
_COARSE, _FINE = 401, 41


class Shift(NamedTuple):
    """`factor`: how many times the reference's samples the other curve needs. `rmse` is of coverage after shifting,
    over the `overlap`, the share of the other curve (in log k) that meets the reference."""

    factor: float
    rmse: float
    overlap: float


def shift_in_log_k(reference: Curve, other: Curve) -> Shift | None:
    """The factor f for which other(f k) is nearest to reference(k), by least squares on coverage over log k.

    None where a curve has fewer than three points with coverage between 0 and 1, or the two never come near.
    """
    curves = [_usable(curve) for curve in (reference, other)]
    if any(len(log_k) < 3 for log_k, _ in curves):
        return None
    (log_k, _), (other_log_k, _) = curves
    lowest, highest = other_log_k[0] - log_k[-1], other_log_k[-1] - log_k[0]
    coarse = _best(curves, np.linspace(lowest, highest, _COARSE))
    if coarse is None:
        return None
    step, middle = (highest - lowest) / (_COARSE - 1), np.log(coarse.factor)
    fine = _best(curves, np.linspace(max(lowest, middle - step), min(highest, middle + step), _FINE))
    return coarse if fine is None or coarse.rmse < fine.rmse else fine


def _best(curves: Sequence[tuple[Floats, Floats]], shifts: Floats) -> Shift | None:
    """The best of some shifts of log k, None where none leaves enough of the curves to compare."""
    (log_k, values), (other_log_k, other_values) = curves
    places = np.linspace(other_log_k[0], other_log_k[-1], 200)
    back = places - shifts[:, None]
    inside = (back >= log_k[0]) & (back <= log_k[-1])
    overlap = inside.mean(axis=1)
    span, other_span = log_k[-1] - log_k[0], other_log_k[-1] - other_log_k[0]
    enough = overlap * other_span >= _LEAST_OVERLAP * min(span, other_span)
    if not enough.any():
        return None
    error = (np.interp(places, other_log_k, other_values) - np.interp(back, log_k, values)) ** 2
    rmse = np.sqrt((error * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1))
    best = int(np.argmin(np.where(enough, rmse, np.inf)))
    return Shift(float(np.exp(shifts[best])), float(rmse[best]), float(overlap[best]))


def _usable(curve: Curve) -> tuple[Floats, Floats]:
    keep = np.isfinite(curve.coverage) & (curve.coverage > 0) & (curve.coverage < 1)
    return np.log(curve.ks[keep].astype(np.float64)), curve.coverage[keep]
