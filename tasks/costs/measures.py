"""What k samples of a problem cost, in dollars, FLOPs, tokens or seconds, from what its stored samples used.

k samples drawn at random from those of a problem cost k times the mean of all on average, which is exact for every k,
as coverage at k is. What is paid once for all samples of a problem is added: cost = fixed + k · each.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from tasks.costs.flops import ModelShape
from tasks.costs.prices import ModelPrice
from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints

_MILLION = 1e6


class Prompts(StrEnum):
    """How the prompt of a problem counts.

    EACH: for every sample, cached tokens as the server reported them. A server that bills one prompt for a request of
    several samples bills less. ONCE: once for all samples of a problem. CACHED: the first sample writes it to the
    cache, and every other sample reads it there.
    """

    EACH = "each"
    ONCE = "once"
    CACHED = "cached"


class Measure(StrEnum):
    """What a cost is counted in."""

    DOLLARS = "dollars"
    FLOPS = "flops"
    TOKENS = "tokens"
    SECONDS = "seconds"


@dataclass(frozen=True, eq=False)
class LinearCost:
    """k >= 1 samples of each problem cost `fixed` + k · `each`, both of shape (problems,)."""

    fixed: Floats
    each: Floats

    def at(self, ks: ArrayLike) -> Floats:
        """The cost of k samples of each problem, shape (problems, ks); 0 for no sample."""
        wanted = np.atleast_1d(np.asarray(ks, dtype=np.float64))
        cost: Floats = np.where(wanted > 0, self.fixed[:, None] + self.each[:, None] * wanted, 0.0)
        return cost


def dollars(
    usage: UsageByProblem, price: ModelPrice, label: str, prompts: Prompts = Prompts.EACH, *, batch: bool = False
) -> LinearCost:
    """Dollars at a price; at the price of batches if `batch`.

    Raises:
        UserError: counts that the price needs are not known, or batches have no price; `label` names the set.
    """
    share = 1.0
    if batch:
        if price.batch_discount is None:
            raise UserError(f"prices: {price.model} has no batch_discount, which --batch needs; add it to its price")
        share -= price.batch_discount
    n = usage.samples
    fixed, each = np.zeros(len(usage)), np.zeros(len(usage))
    if price.hour is not None:
        each += price.hour / 3_600 * _known(usage.seconds, label, "seconds", "drop `hour` from its price") / n
    if price.completion:
        each += share * price.completion / _MILLION * _known(usage.completion, label, "completion tokens") / n
    if price.prompt is None or not (price.prompt or price.read or price.write):
        return LinearCost(fixed, each)
    if prompts is Prompts.EACH:
        whole = _known(usage.prompt, label, "prompt tokens")
        cached = np.zeros_like(whole) if usage.cached is None else usage.cached
        each += share / _MILLION * (price.prompt * (whole - cached) + price.read * cached) / n
        return LinearCost(fixed, each)
    shared = _shared_prompt(usage, label, prompts)
    if prompts is Prompts.ONCE:
        return LinearCost(fixed + share * price.prompt / _MILLION * shared, each)
    each += share * price.read / _MILLION * shared
    return LinearCost(fixed + share * (price.write - price.read) / _MILLION * shared, each)


def flops(usage: UsageByProblem, shape: ModelShape, label: str, prompts: Prompts = Prompts.ONCE) -> LinearCost:
    """FLOPs by the paper's formula (`tasks.costs.flops`). A prompt read from the cache costs nothing.

    Raises:
        UserError: token counts are not known, or samples of one problem have different prompts, as samples of several
            turns do.
    """
    n = usage.samples
    completion = _known(usage.completion, label, "completion tokens")
    context = _known(usage.context, label, "separate token counts")
    prompt = _shared_prompt(usage, label, prompts).astype(np.float64)
    of_prompt = shape.flops(prompt, prompt * (prompt + 1) / 2)
    each = shape.flops(completion / n, context / n)
    if prompts is Prompts.EACH:
        return LinearCost(np.zeros(len(usage)), each + of_prompt)
    return LinearCost(of_prompt, each)


def tokens(usage: UsageByProblem, label: str, prompts: Prompts = Prompts.EACH) -> LinearCost:
    """Tokens in and out; cached tokens count as others do.

    Raises:
        UserError: token counts are not known.
    """
    each = _known(usage.completion, label, "completion tokens") / usage.samples
    if prompts is Prompts.ONCE:
        return LinearCost(_shared_prompt(usage, label, prompts).astype(np.float64), each)
    return LinearCost(np.zeros(len(usage)), each + _known(usage.prompt, label, "prompt tokens") / usage.samples)


def seconds(usage: UsageByProblem, label: str) -> LinearCost:
    """Wall-clock seconds of drawing, as measured.

    Raises:
        UserError: they are not known.
    """
    known = _known(usage.seconds, label, "seconds", "count another cost with --in")
    return LinearCost(np.zeros(len(usage)), known / usage.samples)


def known_dollars(usage: UsageByProblem, label: str) -> LinearCost:
    """Dollars where they are stored as such.

    Raises:
        UserError: they are not known.
    """
    return LinearCost(np.zeros(len(usage)), _known(usage.dollars, label, "dollars") / usage.samples)


def _known(values: Ints | Floats | None, label: str, what: str, instead: str = "count --in seconds") -> Floats:
    if values is None:
        raise UserError(f"cost: {label} has no {what} for some sample: they were not reported; {instead}")
    return values.astype(np.float64)


def _shared_prompt(usage: UsageByProblem, label: str, prompts: Prompts) -> Ints:
    if usage.shared_prompt is None:
        why = "were not reported" if usage.prompt is None else "differ between samples of one problem"
        fix = "count --in seconds" if usage.prompt is None else "count --in dollars or tokens with --prompts each"
        raise UserError(f"cost: the prompt tokens of {label} {why}, so they do not count {prompts.value}; {fix}")
    return usage.shared_prompt
