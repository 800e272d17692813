"""How sure a model was of a sample, from the likeliest tokens at each position (DeepConf: Fu et al. 2025, arXiv
2508.15260, section 2).

A token's confidence is minus the mean log-probability of the likeliest tokens at its position: it is high where one
token has nearly all of the probability. A group is a window of consecutive tokens, one for each position at which a
whole window ends; all of a shorter sample is one group. Of a sample, four numbers are kept.

The likeliest token alone would say the opposite: its own log-probability is near 0 where the model is sure.
"""

from typing import NamedTuple, TypedDict

import numpy as np
from pydantic import Field

from sandboxes.config import Config
from tasks.scaling.arrays import Floats

BOTTOM = 0.1
"""The share of groups, those of the lowest confidence, whose mean is `confidence_bottom_groups`."""


CONFIDENCE = "Keep how sure the model was of each sample, as scores to pick by (DeepConf); empty: do not"
"""The description of an engine's field `confidence`."""


class ConfidenceSettings(Config):
    """Which confidences are kept of every sample. They change no sample, and are not among a set's ingredients."""

    top: int = Field(
        default=20, ge=2, le=20, description="Likeliest tokens at each position; vLLM gives 20, hosted models 5 to 20"
    )
    window: int = Field(default=2048, ge=1, le=1_000_000, description="Tokens of a group, and of the tail")


class ConfidenceFields(TypedDict, total=False):
    """The fields of `tasks.records.Sample` that are about confidence."""

    confidence_mean: float
    confidence_lowest_group: float
    confidence_bottom_groups: float
    confidence_tail: float
    confidence_top: int
    confidence_window: int


class GroupConfidence(NamedTuple):
    """The confidence of a sample's tokens: of all, of the least confident group, of the least confident tenth of the
    groups, and of the last window."""

    mean: float
    lowest_group: float
    bottom_groups: float
    tail: float


def token_confidences(logprobs: Floats, top: int) -> Floats:
    """Minus the mean of the `top` highest of the log-probabilities in each row, [rows]; of all where there are fewer.

    Args:
        logprobs: [rows, tokens], in nats.
    """
    first = max(0, logprobs.shape[1] - top)
    highest = np.sort(np.partition(logprobs, first, axis=1)[:, first:], axis=1)
    return np.asarray(-highest.mean(axis=1), np.float64)


def group_confidence(tokens: Floats, window: int) -> GroupConfidence:
    """The confidences of a sample from those of its tokens, in order; there is at least one."""
    size = min(window, len(tokens))
    sums = np.concatenate([[0.0], np.cumsum(tokens)])
    groups = (sums[size:] - sums[:-size]) / size
    lowest = np.sort(groups)[: max(1, int(BOTTOM * len(groups)))]
    return GroupConfidence(float(tokens.mean()), float(lowest[0]), float(lowest.mean()), float(tokens[-size:].mean()))


def confidence_fields(tokens: Floats, settings: ConfidenceSettings) -> ConfidenceFields:
    """What a sample keeps of the confidences of its tokens; nothing where there are none, or one is not finite."""
    if not len(tokens) or not np.isfinite(tokens).all():
        return {}
    found = group_confidence(tokens, settings.window)
    return {
        "confidence_mean": found.mean,
        "confidence_lowest_group": found.lowest_group,
        "confidence_bottom_groups": found.bottom_groups,
        "confidence_tail": found.tail,
        "confidence_top": settings.top,
        "confidence_window": settings.window,
    }
