"""The records that all packages share. This module imports only the standard library."""

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
    """A gold final answer. Where it corrects the one that the dataset has, that one is `published`."""

    kind: ClassVar[str] = "answer"
    noun: ClassVar[str] = "gold answer"

    answer: str
    published: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the answer is blank."""
        return not self.answer.strip()


@dataclass(frozen=True, slots=True)
class StdioCheck(Check):
    """Tests of a whole program on standard input and output; it must pass all of them.

    The first `public` of them are known to whoever writes the program, as the examples of a contest problem are; None
    where it is not known which are.
    """

    kind: ClassVar[str] = "stdio"
    noun: ClassVar[str] = "tests on stdin and stdout"

    tests: tuple[StdioTest, ...]
    public: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there are no tests."""
        return not self.tests


@dataclass(frozen=True, slots=True)
class FunctionCheck(Check):
    """A test of one function: `code` defines `check(candidate)`, which raises where the function is wrong.

    `public` is the test of just those examples that are known to whoever writes the function, as those of a docstring
    are; None where there is none, or where it is not known which are. `calls` are calls of the function in these
    examples, as Python expressions whose arguments are literals.
    """

    kind: ClassVar[str] = "function"
    noun: ClassVar[str] = "function test"

    entry_point: str
    code: str
    public: str | None = None
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TheoremCheck(Check):
    """A theorem to prove: a sample is the body of its proof.

    `system` is `rocq` or `lean`. `header` is what stands before the statement: imports, scopes, definitions. `name` is
    the theorem's name in the statement. `statement` is in Rocq the sentence, such as `Theorem t : 1 + 1 = 2.`, and in
    Lean the text up to the body, such as `theorem t : 1 + 1 = 2 := by`.
    """

    kind: ClassVar[str] = "theorem"
    noun: ClassVar[str] = "theorem"

    system: str
    header: str
    name: str
    statement: str

    @property
    def is_empty(self) -> bool:
        """Whether the statement is blank."""
        return not self.statement.strip()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a repository: its path from the root, and its text with its own line breaks."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RepositoryCheck(Check):
    """Tests of a repository, which a patch must make pass: a sample is a patch, or edits that give one.

    The container image `image` has the repository at `base_commit`, with everything that its tests need.
    `evaluation_script` is the Bash script that applies `test_patch` and runs the tests, with SWE-bench's lines around
    their output. `log_parser` is the name of the function that reads this output in the package swebench. All tests of
    `fail_to_pass` and of `pass_to_pass` must pass; with `fail_only`, none of them may be reported as failed. `files`
    are those that the model was shown, as they are before the patch.
    """

    kind: ClassVar[str] = "repository"
    noun: ClassVar[str] = "tests of a repository"

    repository: str
    base_commit: str
    image: str
    evaluation_script: str
    log_parser: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    test_patch: str = ""
    fail_only: bool = False
    files: tuple[SourceFile, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no test that a patch must make pass, or no script that runs it."""
        return not self.fail_to_pass or not self.evaluation_script.strip()


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
class LabelledSample:
    """A sample that is known to be correct or wrong before it is graded. `source` says where its label comes from."""

    problem_id: str
    text: str
    correct: bool = True
    source: str = ""


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
class ToolCall:
    """A tool that the model asked for. `arguments` is the text that it wrote, as a rule JSON; `id` is what the answer
    refers to, where the server gives one."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a sample that took several: by `system`, `user`, `assistant` or `tool`.

    A tool's message is its output, and `call_id` says which call it answers. The counts, in tokens, are those of the
    request that the assistant's message answers; None where they are not known.
    """

    role: str
    content: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    prompt_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a model was of a sample's tokens (`tasks.engines.confidence`): of all, of the least confident group, of
    the least confident tenth of the groups, and of the last `window` tokens, which is also the size of a group.

    The numbers come from the `top` likeliest tokens at each position; None where the source does not know. In rows of
    files and in tables, they are separate columns, whose names begin with `confidence_`.
    """

    mean: float | None = None
    lowest_group: float | None = None
    bottom_groups: float | None = None
    tail: float | None = None
    top: int | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What was sampled once: a completion, or several turns that end in the `text` to grade.

    `logprob` is the sum of the tokens' log-probabilities under the model at temperature 1, in nats. Counts are in
    tokens, over all turns; `cached_prompt_tokens` is the part of the prompt tokens that the server had cached. None
    where the source does not know. `finish_reason` is `stop` or `length`. A single completion has no `turns`, and there
    is no `confidence` where it was not asked for.
    """

    problem_id: str
    index: int
    text: str
    prompt_tokens: int | None = None
    tokens: int | None = None
    logprob: float | None = None
    finish_reason: str | None = None
    cached_prompt_tokens: int | None = None
    turns: tuple[Turn, ...] = ()
    confidence: Confidence | None = None


class Verdict(StrEnum):
    """What became of a sample. INFRASTRUCTURE says nothing about the sample: it is retried, then left out of n."""

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
    """The verdict on one sample, with a short reason and what it cost to reach (seconds).

    `answer` is the sample's final answer in the grader's normal form, where it finds one, so that equal answers
    can be counted. `artifact` is the key of an object in the store, such as a log or a trajectory. `passed` says
    whether the sample passed the problem's public tests; None where that is not known.
    """

    problem_id: str
    index: int
    verdict: Verdict
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    answer: str | None = None
    artifact: str | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class ScoredSample:
    """A scorer's number for one sample, such as a reward model's; None where it could not give one, which is tried
    again."""

    problem_id: str
    index: int
    score: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens, of prompts and of completions."""

    prompt: float
    completion: float
