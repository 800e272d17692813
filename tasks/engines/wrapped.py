"""An engine that wraps another: it has the inner engine's properties and lifetime; subclasses define how it draws."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Self

from tasks.engines import Engine
from tasks.records import Request, Sample, Sampling


class WrappedEngine(ABC):
    """A `tasks.engines.Engine` that draws from the inner engine, `_engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def version(self) -> str:
        """That of the inner engine."""
        return self._engine.version

    @property
    def deterministic(self) -> bool:
        """That of the inner engine."""
        return self._engine.deterministic

    @property
    def max_concurrent_calls(self) -> int:
        """That of the inner engine."""
        return self._engine.max_concurrent_calls

    @abstractmethod
    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
        """See `Engine`."""

    def cancel(self) -> None:
        """Cancel the inner engine's calls."""
        self._engine.cancel()

    def __enter__(self) -> Self:
        self._engine.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._engine.__exit__(*exc)
