"""A cap on what one run may spend: counts what an engine yields and what scorers cost, and ends the run when the cap is
reached.

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
    """Where one run stops, even if samples or scores are still missing."""

    dollars: float | None = Field(default=None, gt=0, description="Maximum dollars, at the given price; empty: no cap")
    tokens: int | None = Field(default=None, ge=1, description="Maximum completion tokens; empty: no cap")
    hours: float | None = Field(default=None, gt=0, description="Maximum hours of the run; empty: no cap")

    def start(self, price: Price | None) -> "Spending":
        """What a run has spent under this cap: nothing yet."""
        return Spending(self, price)


class Spending:
    """What one run has spent so far, in all threads, and its cap. `price` is that of the engine's tokens.

    The clock starts when an engine is wrapped or a scorer first asks, so that waiting for a GPU costs nothing.
    """

    def __init__(self, cap: CapConfig, price: Price | None) -> None:
        self._cap = cap
        self._price = price
        self._started: float | None = None
        self._lock = threading.Lock()
        self._dollars = 0.0
        self._tokens = 0

    @property
    def by_usage(self) -> bool:
        """Whether the cap depends on what samples and scores use, rather than on time alone."""
        return self._cap.tokens is not None or self._cap.dollars is not None

    def wrap(self, engine: Engine) -> "CappedEngine":
        """The engine under the cap."""
        self._hours()
        return CappedEngine(engine, self)

    def count(self, samples: Sequence[Sample], engine: str) -> None:
        """Count the tokens of samples by this version of an engine.

        Raises:
            UserError: the cap needs token counts, and the engine does not report them.
        """
        for sample in samples:
            tokens, dollars = 0, 0.0
            if self._cap.tokens is not None or self._cap.dollars is not None:
                tokens = _reported("tokens", sample.tokens, engine)
            if self._price is not None and self._cap.dollars is not None:
                # A price of 0 needs no count.
                prompt = _reported("prompt tokens", sample.prompt_tokens, engine) if self._price.prompt else 0
                dollars = (self._price.prompt * prompt + self._price.completion * (sample.tokens or 0)) / 1e6
            self.add(tokens, dollars)

    def add(self, tokens: int, dollars: float) -> None:
        """Count completion tokens, and what they and their prompts cost."""
        with self._lock:
            self._tokens += tokens
            self._dollars += dollars

    def check(self) -> None:
        """Make sure that the cap is not reached.

        Raises:
            CapReachedError: it is; the message says which.
        """
        for spent, cap, template in (
            (self._dollars, self._cap.dollars, "${} of ${}"),
            (self._tokens, self._cap.tokens, "{} of {} tokens"),
            (self._hours(), self._cap.hours, "{} of {} hours"),
        ):
            if cap is not None and spent >= cap:
                amounts = template.format(_amount(spent), _amount(cap))
                raise CapReachedError(f"cap: this run has spent {amounts}")

    def _hours(self) -> float:
        now = time.monotonic()
        with self._lock:
            self._started = now if self._started is None else self._started
        return (now - self._started) / 3_600


class CappedEngine(WrappedEngine):
    """An engine that raises CapReachedError once the run has reached its cap."""

    def __init__(self, engine: Engine, spending: Spending) -> None:
        super().__init__(engine)
        self._spending = spending

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
        """Draw as the inner engine does, up to the cap.

        Raises:
            CapReachedError: all calls of this run together have reached the cap.
            UserError: the cap needs token counts, and the engine does not report them.
        """
        self._spending.check()
        with closing(self._engine.sample(requests, sampling)) as drawing:
            for samples in drawing:
                self._spending.count(samples, self.version)
                yield samples
                self._spending.check()


def _reported(what: str, count: int | None, engine: str) -> int:
    if count is None:
        raise UserError(f"cap: {engine} does not report how many {what} a sample has; cap hours instead")
    return count


def _amount(value: float) -> str:
    """A number with its significant digits: 1,234,567 or 12.50 or 0.00012."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2}"
