"""A cap on what one run may spend: wraps an engine, counts what it yields, and ends sampling when the cap is reached.

Samples that were requested before the cap was reached are paid for, and are yielded if they are already there. A cap
applies to one run: running the same command again starts with the full amount.
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
    """Where one run stops, even if samples are still missing."""

    dollars: float | None = Field(default=None, gt=0, description="Maximum dollars, at the given price; empty: no cap")
    tokens: int | None = Field(default=None, ge=1, description="Maximum completion tokens; empty: no cap")
    hours: float | None = Field(default=None, gt=0, description="Maximum hours of drawing; empty: no cap")

    def wrap(self, engine: Engine, price: Price | None) -> "CappedEngine":
        """The engine under this cap; its clock starts now."""
        return CappedEngine(engine, self, price)


class CappedEngine(WrappedEngine):
    """An engine that raises CapReachedError once its samples have reached the cap."""

    def __init__(self, engine: Engine, cap: CapConfig, price: Price | None) -> None:
        super().__init__(engine)
        self._cap = cap
        self._price = price
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._dollars = 0.0
        self._tokens = 0

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Draw as the inner engine does, up to the cap.

        Raises:
            CapReachedError: all calls of this run together have reached the cap.
            UserError: the cap needs token counts, and the engine does not report them.
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
                    self._tokens += self._reported("tokens", sample.tokens)
                if self._price is not None and self._cap.dollars is not None:
                    # A price of 0 needs no count.
                    prompt = self._reported("prompt tokens", sample.prompt_tokens) if self._price.prompt else 0
                    self._dollars += self._price.prompt * prompt / 1e6
                    self._dollars += self._price.completion * (sample.tokens or 0) / 1e6

    def _reported(self, what: str, count: int | None) -> int:
        if count is None:
            raise UserError(f"cap: {self.version} does not report how many {what} a sample has; cap hours instead")
        return count

    def _check(self) -> None:
        hours = (time.monotonic() - self._started) / 3_600
        for spent, cap, template in (
            (self._dollars, self._cap.dollars, "${} of ${}"),
            (self._tokens, self._cap.tokens, "{} of {} tokens"),
            (hours, self._cap.hours, "{} of {} hours"),
        ):
            if cap is not None and spent >= cap:
                amounts = template.format(_amount(spent), _amount(cap))
                raise CapReachedError(f"cap: this run has spent {amounts}")


def _amount(value: float) -> str:
    """A number with its significant digits: 1,234,567 or 12.50 or 0.00012."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2}"
