"""The scores of a solution's steps, by a process reward model, combined into one."""

import math
from collections.abc import Sequence
from typing import Literal

Combination = Literal["min", "product", "last"]


def combined(steps: Sequence[float], by: Combination) -> float:
    """One score for all steps, of which there is at least one: the least (Lightman et al., arXiv 2305.20050, also use
    the product), the product, which is meant for probabilities, or that of the last step."""
    if by == "min":
        # `min` would drop a NaN.
        return math.nan if any(map(math.isnan, steps)) else min(steps)
    return math.prod(steps) if by == "product" else steps[-1]


def marked(text: str, separator: str, mark: str | None) -> str:
    """A text with a mark after each of its steps, which a separator divides. Empty steps are left out, and so are marks
    in the text itself: a sample must not add steps. Without a mark, the text stays as it is."""
    if mark is None:
        return text
    text = text.replace(mark, "")
    steps = [step for step in text.split(separator) if step.strip()] or [text]
    return "".join(step + mark for step in steps)
