"""An engine that guesses sums. People write the configuration; it opens the engine, which draws the samples."""

import random
from collections.abc import Generator, Sequence
from typing import Any, Literal, Self

from pydantic import Field

from tasks.plugins import Config
from tasks.records import Problem, Request, Sample, Sampling


class GuesserConfig(Config):
    """Guesses sums, and is often wrong."""

    name: Literal["guesser"] = "guesser"
    spread: int = Field(default=2, ge=0, description="How far a guess may be from the sum")

    @property
    def label(self) -> str:
        """Part of the names of sample sets."""
        return f"guesser-{self.spread}"

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """Everything that a sample depends on, except the problem. Other ingredients make another sample set."""
        return {"engine": self.name, "spread": self.spread, "sampling": {"seed": sampling.seed}, "template": template}

    def check(self, problems: Sequence[Problem], k: int) -> None:
        """Fail with `UserError` where k samples of these problems cannot be drawn; here they always can."""

    def open(self) -> "Guesser":
        """The engine. Load what is heavy here, not when the module is imported."""
        return Guesser(self.spread)


class Guesser:
    """Draws the samples."""

    version = "guesser 1.0"
    # Sample i of a problem is always the same, however the sweep is split.
    deterministic = True
    max_concurrent_calls = 1

    def __init__(self, spread: int) -> None:
        self._spread = spread

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample once, a list at a time."""
        for request in requests:
            left, right = request.prompt.removesuffix(" = ").split(" + ")
            indices = range(request.start, request.stop)
            yield [self._guess(request, index, int(left) + int(right), sampling.seed) for index in indices]

    def _guess(self, request: Request, index: int, total: int, seed: int) -> Sample:
        chance = random.Random(f"{seed}/{request.problem_id}/{index}")  # noqa: S311 - not a secret
        answer = total + chance.randint(-self._spread, self._spread)
        return Sample(request.problem_id, index, f"#### {answer}", tokens=2, finish_reason="stop")

    def cancel(self) -> None:
        """End all calls of `sample`; these take no time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Release what the engine holds; here nothing."""
