"""How sure a model was of a sample, from the likeliest tokens at each position (DeepConf: Fu et al. 2025, arXiv
2508.15260, section 2).

A token's confidence is minus the mean log-probability of the likeliest tokens at its position: it is high where one
token has nearly all of the probability. A group is a window of consecutive tokens, one for each position at which a
whole window ends; all of a shorter sample is one group. Of a sample, four numbers are kept.

The likeliest token alone would say the opposite: its own log-probability is near 0 where the model is sure.
"""

import numpy as np
from pydantic import Field

from sandboxes.config import Config
from tasks.records import Confidence
from tasks.scaling.arrays import Floats

BOTTOM = 0.1
"""The share of groups, those of the lowest confidence, whose mean is `Confidence.bottom_groups`."""


MIN_TOP = 2
"""How many likeliest tokens a confidence needs: one alone says the opposite."""

CONFIDENCE = "Keep how sure the model was of each sample, as scores to pick by (DeepConf); empty: do not"
"""The description of an engine's field `confidence`."""


class ConfidenceSettings(Config):
    """Which confidences are kept of every sample. They change no sample, and are not among a set's ingredients."""

    top: int = Field(
        default=20,
        ge=MIN_TOP,
        le=20,
        description="Likeliest tokens at each position; vLLM gives 20, hosted models 5 to 20",
    )
    window: int = Field(default=2048, ge=1, le=1_000_000, description="Tokens of a group, and of the tail")


def token_confidences(logprobs: Floats, top: int) -> Floats:
    """Minus the mean of the `top` highest of the log-probabilities in each row, [rows]; of all where there are fewer.

    Args:
        logprobs: [rows, tokens], in nats.
    """
    first = max(0, logprobs.shape[1] - top)
    highest = np.sort(np.partition(logprobs, first, axis=1)[:, first:], axis=1)
    return np.asarray(-highest.mean(axis=1), np.float64)


def sample_confidence(tokens: Floats, settings: ConfidenceSettings) -> Confidence | None:
    """The confidence of a sample from those of its tokens, in order; None where there are none, or one is not
    finite."""
    if not len(tokens) or not np.isfinite(tokens).all():
        return None
    size = min(settings.window, len(tokens))
    sums = np.concatenate([[0.0], np.cumsum(tokens)])
    groups = (sums[size:] - sums[:-size]) / size
    lowest = np.sort(groups)[: max(1, int(BOTTOM * len(groups)))]
    return Confidence(
        mean=float(tokens.mean()),
        lowest_group=float(lowest[0]),
        bottom_groups=float(lowest.mean()),
        tail=float(tokens[-size:].mean()),
        top=settings.top,
        window=settings.window,
    )
