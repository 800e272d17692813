"""The nouns that every room passes on. Nothing is imported here but the standard library."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StdioTest:
    """One test of a whole program: what it reads, and what it must print."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True)
class Check:
    """What decides whether a sample of a problem is correct.

    Each kind is a subclass: a frozen dataclass with a `kind`, its name in hashes, and a `noun`, its name in messages.
    Graders ask for the kind that they can use (`tasks.graders.base.requirements`).
    """

    kind: ClassVar[str]
    noun: ClassVar[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to check a sample against."""
        return False


@dataclass(frozen=True, slots=True)
class AnswerCheck(Check):
    """A gold final answer."""

    kind: ClassVar[str] = "answer"
    noun: ClassVar[str] = "gold answer"

    answer: str

    @property
    def is_empty(self) -> bool:
        """Whether the answer is blank."""
        return not self.answer.strip()


@dataclass(frozen=True, slots=True)
class StdioCheck(Check):
    """Tests of a whole program on standard input and output; it must pass all of them."""

    kind: ClassVar[str] = "stdio"
    noun: ClassVar[str] = "tests on stdin and stdout"

    tests: tuple[StdioTest, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there are no tests."""
        return not self.tests


@dataclass(frozen=True, slots=True)
class FunctionCheck(Check):
    """A test of one function: `code` defines `check(candidate)`, which raises where the function is wrong."""

    kind: ClassVar[str] = "function"
    noun: ClassVar[str] = "function test"

    entry_point: str
    code: str


@dataclass(frozen=True, slots=True)
class FewShotExample:
    """A worked example that stands before the question in a prompt."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem and everything that a grader needs to grade a sample of it.

    `question` is what the prompt template puts before the model, after `shots`. `check` decides whether a sample is
    correct; without one, samples can be drawn but not graded. Limits are the problem's own; None leaves them to the
    sandbox's configuration.
    """

    id: str
    question: str
    check: Check | None = None
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None
    shots: tuple[FewShotExample, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """A sample that is known to be correct, or known not to be, before anything has judged it."""

    problem_id: str
    text: str
    correct: bool = True


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. Temperature 0 is greedy; `top_p` 1 keeps every token."""

    temperature: float
    top_p: float
    max_tokens: int
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Request:
    """Draw samples [start, stop) of one problem."""

    problem_id: str
    prompt: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion. `logprob` is the sum of its tokens' log-probabilities under the model at temperature 1, in
    nats; counts are in tokens; None where the source does not know. `finish_reason` is `stop` or `length`."""

    problem_id: str
    index: int
    text: str
    prompt_tokens: int | None = None
    tokens: int | None = None
    logprob: float | None = None
    finish_reason: str | None = None


class Verdict(StrEnum):
    """What became of a sample. INFRASTRUCTURE says nothing of the sample: it is retried, then left out of n."""

    CORRECT = "correct"
    WRONG = "wrong"
    ERROR = "error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    NO_ANSWER = "no_answer"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class GradedSample:
    """The verdict on one sample, with a short reason and what it cost to reach (seconds)."""

    problem_id: str
    index: int
    verdict: Verdict
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens, of prompts and of what the model writes."""

    prompt: float
    completion: float
