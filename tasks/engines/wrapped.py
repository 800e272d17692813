"""An engine around another: it is what the inner one is, and passes on its life; subclasses say how it draws."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Self

from tasks.engines import Engine
from tasks.records import Request, Sample, Sampling


class WrappedEngine(ABC):
    """An engine (`tasks.engines.Engine`) that draws from `_engine`, the inner one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def version(self) -> str:
        """The inner engine's."""
        return self._engine.version

    @property
    def deterministic(self) -> bool:
        """The inner engine's."""
        return self._engine.deterministic

    @property
    def max_concurrent_calls(self) -> int:
        """The inner engine's."""
        return self._engine.max_concurrent_calls

    @abstractmethod
    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """See `Engine`."""

    def cancel(self) -> None:
        """As the inner engine does."""
        self._engine.cancel()

    def __enter__(self) -> Self:
        self._engine.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._engine.__exit__(*exc)
