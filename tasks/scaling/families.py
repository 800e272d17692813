"""Curves of one model family look like one curve shifted in log k (arXiv 2407.21787, figure 6): by how much, how well.

A shift says that one model needs so many times the samples of another, at every coverage alike.
"""

from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Curve

# A shift is looked for among those that leave at least this much of the shorter curve to compare.
_LEAST_OVERLAP = 0.4


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
    (log_k, values), (other_log_k, other_values) = curves
    span = other_log_k[-1] - other_log_k[0]
    places = np.linspace(other_log_k[0], other_log_k[-1], 200)
    wanted = np.interp(places, other_log_k, other_values)
    best: Shift | None = None
    for shift in np.linspace(other_log_k[0] - log_k[-1], other_log_k[-1] - log_k[0], 2001):
        inside = (places - shift >= log_k[0]) & (places - shift <= log_k[-1])
        overlap = float(inside.mean())
        if overlap * span < _LEAST_OVERLAP * min(span, log_k[-1] - log_k[0]):
            continue
        error = wanted[inside] - np.interp(places[inside] - shift, log_k, values)
        rmse = float(np.sqrt(np.mean(error**2)))
        if best is None or rmse < best.rmse:
            best = Shift(float(np.exp(shift)), rmse, overlap)
    return best


def _usable(curve: Curve) -> tuple[Floats, Floats]:
    keep = np.isfinite(curve.coverage) & (curve.coverage > 0) & (curve.coverage < 1)
    return np.log(curve.ks[keep].astype(np.float64)), curve.coverage[keep]
