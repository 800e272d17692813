"""The two kinds of array that numbers here come in, and how they leave them."""

from math import isfinite

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def finite_or_none(values: Floats) -> list[float | None]:
    """The values, with None in place of those that are not finite, which JSON cannot hold."""
    return [value if isfinite(value) else None for value in values.tolist()]
