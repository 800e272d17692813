"""From logits to probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """The probability of each label, [texts, labels]: softmax, or the sigmoid if there is only one label."""
    values = logits.astype(np.float64)
    if values.shape[1] == 1:
        values = np.concatenate([values, np.zeros_like(values)], axis=1)
    exponents = np.exp(values - values.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = exponents / exponents.sum(axis=1, keepdims=True)
    return shares[:, : logits.shape[1]]
