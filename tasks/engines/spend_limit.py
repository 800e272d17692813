"""A cap on what one run may spend: an engine inside another, which counts what it yields and ends when it is enough.

What was asked for before the cap was reached is paid for, and so is yielded where it comes at once. A cap counts one
run: the same command again has the whole of it to spend on what is still missing.
"""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing

from pydantic import Field

from sandboxes.config import Config
from tasks.engines import Engine
from tasks.engines.wrapped import WrappedEngine
from tasks.errors import CapReachedError, UserError
from tasks.records import Price, Request, Sample, Sampling


class CapConfig(Config):
    """Where a run ends, whatever is still missing."""

    dollars: float | None = Field(default=None, gt=0, description="Most dollars, by the price given; empty: no cap")
    tokens: int | None = Field(default=None, ge=1, description="Most tokens that the model writes; empty: no cap")
    hours: float | None = Field(default=None, gt=0, description="Longest time of drawing; empty: no cap")

    def wrap(self, engine: Engine, price: Price | None) -> "CappedEngine":
        """The engine, with its clock running from now."""
        return CappedEngine(engine, self, price)


class CappedEngine(WrappedEngine):
    """An engine that raises CapReachedError once its samples have reached the cap."""

    def __init__(self, engine: Engine, cap: CapConfig, price: Price | None) -> None:
        super().__init__(engine)
        self._cap = cap
        self._price = price
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._dollars = 0.0
        self._tokens = 0

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """As the inner engine does, up to the cap.

        Raises:
            CapReachedError: this call or another of this run has reached it.
            UserError: the cap counts tokens, and the engine does not tell how many there are.
        """
        self._check()
        with closing(self._engine.sample(requests, sampling)) as drawing:
            for samples in drawing:
                self._count(samples)
                yield samples
                self._check()

    def _count(self, samples: Sequence[Sample]) -> None:
        with self._lock:
            for sample in samples:
                if self._cap.tokens is not None or self._cap.dollars is not None:
                    self._tokens += self._known("tokens", sample.tokens)
                if self._price is not None and self._cap.dollars is not None:
                    # A price of 0 asks for no count.
                    prompt = self._known("prompt tokens", sample.prompt_tokens) if self._price.prompt else 0
                    self._dollars += self._price.prompt * prompt / 1e6
                    self._dollars += self._price.completion * (sample.tokens or 0) / 1e6

    def _known(self, what: str, count: int | None) -> int:
        if count is None:
            raise UserError(f"cap: {self.version} does not say how many {what} a sample has; cap hours instead")
        return count

    def _check(self) -> None:
        hours = (time.monotonic() - self._began) / 3_600
        for spent, most, told in (
            (self._dollars, self._cap.dollars, "${} of ${}"),
            (self._tokens, self._cap.tokens, "{} of {} tokens"),
            (hours, self._cap.hours, "{} of {} hours"),
        ):
            if most is not None and spent >= most:
                amounts = told.format(_amount(spent), _amount(most))
                raise CapReachedError(f"cap: this run has spent {amounts}")


def _amount(value: float) -> str:
    """With as many digits as tell something: 1,234,567 and 12.50 and 0.00012."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2}"
