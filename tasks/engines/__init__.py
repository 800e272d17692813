"""Where samples come from. An engine is opened from a pydantic config class, one per file.

Sample `index` of a problem is one fixed thing: it never depends on the block, batch or run that draws it, where the
engine promises so (`deterministic`). That is what lets a sweep be cut, resumed and extended anywhere. Where it does
not, a stored sample still is never drawn again.
"""

from collections.abc import Generator, Sequence
from typing import Any, Protocol, Self

from tasks.records import Request, Sample, Sampling


class Engine(Protocol):
    """Draws samples. Up to `max_concurrent_calls` calls of `sample` run at once, each in its own thread."""

    @property
    def version(self) -> str:
        """What drew the samples, such as `onnxruntime 1.31.1`."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether sample i of a problem depends on (seed, problem, i) alone, on one version and machine."""
        ...

    @property
    def max_concurrent_calls(self) -> int:
        """How many calls of `sample` keep the engine busy: more than 1 where a call's last samples would leave it
        idle."""
        ...

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, each once, a list at a time as they finish (any order).

        An iterator that is closed early ends its requests.

        Raises:
            UserError: something that only the user can fix, such as a prompt longer than the model reads.
            EngineFailedError: the engine died, hung or returned malformed data, and does so again after restarts.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        ...

    def cancel(self) -> None:
        """End all calls of `sample` for good, soon; called from another thread than theirs."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """End all calls of `sample` for good, as `cancel` does, and give back what the engine holds."""
        ...


class EngineConfig(Protocol):
    """What a person writes to choose an engine; opens it."""

    @property
    def name(self) -> str:
        """The name that chooses it."""
        ...

    @property
    def label(self) -> str:
        """What result sets are called after: the model, or the file."""
        ...

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """Everything that its samples depend on other than the problems, as JSON and records (`canonical` in
        `tasks/store/identity.py`): content hashes, never paths.

        Raises:
            UserError: model or file cannot be read.
        """
        ...

    def check(self, problem_ids: Sequence[str], k: int) -> None:
        """Make sure that samples 0 to k - 1 of these problems can be drawn; raises UserError where not."""
        ...

    def open(self) -> Engine:
        """The engine, ready to sample."""
        ...
