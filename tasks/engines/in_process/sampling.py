"""The choice of a token: a fixed function of logits, sampling settings and one uniform number.

Each row is processed by itself, with the same order of operations for any number of rows, so its token does not depend
on the other rows. The uniform numbers come from Philox, a counter-based generator (Salmon et al., 2011): sample i of a
problem has its own part of the sequence, which can be computed without drawing the rest.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.engines.confidence import token_confidences

Floats = NDArray[np.float64]
SAMPLING_RULE = 1
"""Incremented whenever the same logits and seed would give another sample."""


class Choice(NamedTuple):
    """One token per row and its log-probability at temperature 1, in nats; both [rows]. `confidences` are those of the
    positions (`tasks.engines.confidence`), [rows]; None where they were not asked for."""

    tokens: NDArray[np.int64]
    logprobs: Floats
    confidences: Floats | None = None


def uniforms(seed: int, problem_id: str, index: int, count: int) -> Floats:
    """The numbers in [0, 1) that choose tokens 0 to `count` - 1 of one sample; a larger `count` only appends to
    them."""
    digest = hashlib.blake2b(f"{seed}\n{problem_id}".encode(), digest_size=16).digest()
    key = np.frombuffer(digest, dtype="<u8")
    # The third word of the counter is the sample's index; the two lower words count draws, up to 2**128 per sample.
    generator = np.random.Philox(key=key, counter=np.array([0, 0, index, 0], dtype=np.uint64))
    # NumPy keeps raw output the same between versions (NEP 19), but not its distributions.
    raw: NDArray[np.uint64] = generator.random_raw(count)
    return np.asarray((raw >> np.uint64(11)) * 2.0**-53, np.float64)


def choose(logits: NDArray[np.floating], temperature: float, top_p: float, u: Floats, top: int = 0) -> Choice:
    """Draw one token per row by inverting the cumulative distribution at `u`.

    Args:
        logits: [rows, vocabulary].
        temperature: divides the logits; 0 takes the likeliest token (the first if several are equally likely).
        top_p: keeps the smallest set of likeliest tokens with at least this probability; 1 keeps all.
        u: [rows], in [0, 1).
        top: how many of the likeliest tokens the confidences come from; 0: no confidences.

    Raises:
        FloatingPointError: the logits of a row are not finite.
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    # cumsum adds in sequence, so a row's total does not depend on how a reduction is blocked.
    cumulative = np.cumsum(np.exp(shifted), axis=1)
    log_total = np.log(cumulative[:, -1])
    if not np.isfinite(log_total).all():
        raise FloatingPointError("the model's logits are not finite")
    if temperature == 0:
        tokens = shifted.argmax(axis=1)
    else:
        if temperature != 1 or top_p < 1:
            weights = np.exp(shifted / temperature)
            if top_p < 1:
                weights = _nucleus(weights, top_p)
            cumulative = np.cumsum(weights, axis=1)
        total = cumulative[:, -1]
        target = np.minimum(u * total, np.nextafter(total, 0))
        tokens = (cumulative <= target[:, None]).sum(axis=1)
    rows = np.arange(len(tokens))
    confidences = token_confidences(shifted, top) + log_total if top else None
    return Choice(tokens, shifted[rows, tokens] - log_total, confidences)


def _nucleus(weights: Floats, top_p: float) -> Floats:
    """Zero all weights but the smallest set of largest ones that reaches `top_p`; of equal ones, the first are kept."""
    order = np.argsort(-weights, axis=1, kind="stable")
    ranked = np.take_along_axis(weights, order, axis=1)
    cumulative = np.cumsum(ranked, axis=1)
    before = cumulative - ranked
    kept = np.where(before < top_p * cumulative[:, -1:], ranked, 0.0)
    result = np.empty_like(weights)
    np.put_along_axis(result, order, kept, axis=1)
    return result
