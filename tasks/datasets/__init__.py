"""Where problems come from. A dataset is a pydantic config class, one a file, that loads `Problem`s."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StdioTest:
    """One test of a whole program: what it reads, and what it must print."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True)
class FunctionTest:
    """A test of one function: `code` defines `check(candidate)`, which raises where the function is wrong."""

    entry_point: str
    code: str


@dataclass(frozen=True, slots=True)
class Shot:
    """A worked example that stands before the question in a prompt."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A sample that is known to be correct, or known not to be, before anything has judged it."""

    problem_id: str
    text: str
    correct: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem and everything that a grader needs to judge a sample of it.

    `question` is what the prompt template puts before the model, after `shots`; `answer` is the gold final answer where
    there is one. Limits are the problem's own; None leaves them to the sandbox's configuration.
    """

    id: str
    question: str
    answer: str | None = None
    stdio_tests: tuple[StdioTest, ...] = ()
    function_test: FunctionTest | None = None
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None
    shots: tuple[Shot, ...] = ()


class Dataset(Protocol):
    """A named source of problems with the protocol that they are usually sampled and judged by."""

    @property
    def name(self) -> str:
        """The name that configs and result sets carry."""
        ...

    @property
    def template(self) -> str:
        """Name of the prompt template in `tasks/prompts`."""
        ...

    @property
    def grader(self) -> str:
        """Name of the grader that judges samples unless the config names another."""
        ...

    @property
    def graders(self) -> tuple[str, ...]:
        """Names of all graders that can judge its samples."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings at which a sample ends (not part of its text)."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest sample, in tokens."""
        ...

    def load(self) -> list[Problem]:
        """Every problem in its fixed order.

        Raises:
            InputError: the source is absent or broken; the message names it.
        """
        ...

    def solutions(self) -> Iterator[Solution]:
        """Samples whose truth is known from the source, such as reference solutions; raises as `load` does."""
        ...
