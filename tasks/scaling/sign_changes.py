"""Where one curve overtakes another: the changes of sign of their difference, with intervals from resamples."""

from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats, Ints


class SignChange(NamedTuple):
    """A change of sign at x, `upwards` or downwards. `share` of the resamples change their sign that way too, and
    `low` to `high` is where the middle of those do."""

    x: float
    upwards: bool
    low: float
    high: float
    share: float


def sign_changes(x: Floats, y: Floats) -> list[tuple[float, bool]]:
    """Where y changes its sign, on straight lines between its points, and whether upwards; zeros belong to neither."""
    keep = np.flatnonzero(np.abs(y) > 1e-12)
    signs = np.sign(y[keep])
    found = []
    for i in np.flatnonzero(signs[1:] != signs[:-1]):
        a, b = keep[i], keep[i + 1]
        found.append((float(x[a] + (x[b] - x[a]) * y[a] / (y[a] - y[b])), bool(y[b] > 0)))
    return found


def sign_changes_with_intervals(x: Floats | Ints, estimate: Floats, resampled: Floats, tail: float) -> list[SignChange]:
    """The changes of sign of an estimate, on straight lines in log x.

    Args:
        x: positive and rising, shape (points,).
        estimate: the difference, shape (points,).
        resampled: the same of each resample, shape (resamples, points).
        tail: the share of resamples to leave out at either end of an interval.
    """
    log_x = np.log(x)
    of_resamples = [sign_changes(log_x, each) for each in resampled]
    found = []
    for at, upwards in sign_changes(log_x, estimate):
        nearest = [
            min(places, key=lambda place: abs(place - at))
            for changes in of_resamples
            if (places := [place for place, up in changes if up is upwards])
        ]
        ends = np.quantile(nearest, [tail, 1 - tail]) if nearest else np.array([at, at])
        value, low, high = (float(np.exp(each)) for each in (at, *ends))
        found.append(SignChange(value, upwards, low, high, len(nearest) / len(resampled)))
    return found
