"""Where samples come from. An engine is opened from a pydantic config class, one per file.

If an engine is `deterministic`, sample `index` of a problem is one fixed thing: it does not depend on the block, batch
or run that draws it, so a sweep can be cut, resumed and extended anywhere. With any other engine, a stored sample is
still never drawn again.
"""

from collections.abc import Generator, Sequence
from typing import Any, Protocol, Self

from tasks.records import Problem, Request, Sample, Sampling


class Engine(Protocol):
    """Draws samples. Up to `max_concurrent_calls` calls of `sample` run at once, each in its own thread."""

    @property
    def version(self) -> str:
        """Name and version of what draws the samples, such as `onnxruntime 1.31.1`."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether sample i of a problem depends only on (seed, problem, i), given one version and machine."""
        ...

    @property
    def max_concurrent_calls(self) -> int:
        """How many concurrent calls of `sample` keep the engine busy; more than 1 if one call leaves it partly idle
        while its last samples finish."""
        ...

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
        """Yield every requested sample exactly once, in lists, as samples finish (in any order). Instead of a list,
        an engine may yield columns (`tasks.store.sample_columns`), which cost less where there are many at once.

        Closing the generator early cancels what is left of its requests.

        Raises:
            UserError: something that only the user can fix, such as a prompt longer than the model's context.
            EngineFailedError: the engine died, hung or returned malformed data, and does so again after restarts.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        ...

    def cancel(self) -> None:
        """End all calls of `sample` soon and for good; called from another thread than theirs."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """End all calls of `sample` for good, as `cancel` does, and release the engine's resources."""
        ...


class EngineConfig(Protocol):
    """What a person writes to choose and configure an engine."""

    @property
    def name(self) -> str:
        """The name by which a sweep file chooses it."""
        ...

    @property
    def label(self) -> str:
        """What result sets are named after: the model, or the file."""
        ...

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """Everything except the problems that its samples depend on, as JSON and records (`canonical` in
        `tasks/store/identity.py`): content hashes, never paths.

        Raises:
            UserError: the model or file cannot be read.
        """
        ...

    def check(self, problems: Sequence[Problem], k: int) -> None:
        """Make sure that samples 0 to k - 1 of these problems can be drawn.

        Raises:
            UserError: they cannot; the message says what to change.
        """
        ...

    def open(self) -> Engine:
        """The engine, ready to sample.

        Raises:
            UserError: it cannot be opened as configured.
        """
        ...
