"""What the samples of each problem used, as it was stored: tokens in and out, and seconds of drawing."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from tasks.scaling.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class ScoringUsage:
    """What a scorer used for a sample, as means over the samples that it scored: prompt and completion tokens, the sum
    of their context lengths, wall-clock seconds, and dollars. None for what is not known."""

    prompt: float | None = None
    completion: float | None = None
    context: float | None = None
    seconds: float | None = None
    dollars: float | None = None

    @property
    def tokens(self) -> float | None:
        """Prompt and completion tokens together."""
        return None if self.prompt is None or self.completion is None else self.prompt + self.completion


@dataclass(frozen=True, eq=False)
class UsageByProblem:
    """Sums over the samples of each problem, each of shape (problems,). None where some sample's count is not known.

    Args:
        problem_ids: the problems, in order.
        samples: how many samples the sums are over, at least 1.
        prompt: prompt tokens, counted for every sample, cached ones included.
        cached: those of the prompt tokens that were read from the server's cache.
        completion: completion tokens.
        context: over all completion tokens, the sum of the context lengths: a prompt of P tokens and a completion of T
            give T·P + T(T+1)/2.
        shared_prompt: the length of the prompt that all samples of a problem share; None where they differ, as those of
            several turns do.
        seconds: wall-clock seconds of drawing, as measured.
        dollars: what the samples cost, where that is known as such.
    """

    problem_ids: tuple[str, ...]
    samples: Ints
    prompt: Ints | None = None
    cached: Ints | None = None
    completion: Ints | None = None
    context: Ints | None = None
    shared_prompt: Ints | None = None
    seconds: Floats | None = None
    dollars: Floats | None = None

    def __len__(self) -> int:
        return len(self.problem_ids)

    @property
    def relative_lengths(self) -> Floats:
        """How long the samples of each problem are with their prompts, in tokens, relative to the mean over problems,
        shape (problems,); ones where that is not known."""
        if self.prompt is None or self.completion is None:
            return np.ones(len(self))
        lengths: Floats = (self.prompt + self.completion) / self.samples
        mean = lengths.mean()
        return lengths / mean if mean else np.ones(len(self))

    def of(self, problems: Sequence[str]) -> "UsageByProblem":
        """The same for some of the problems, in their order."""
        at = {problem: position for position, problem in enumerate(self.problem_ids)}
        rows = [at[problem] for problem in problems]
        columns: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        del columns["problem_ids"]
        chosen: dict[str, Any] = {name: None if each is None else each[rows] for name, each in columns.items()}
        return replace(self, problem_ids=tuple(problems), **chosen)
