"""Whole programs, judged by what they print for each test's input.

The program is the text of the first Markdown fence, up to its end or the text's; without a fence, all of the text. It
is run on the tests in order until one fails. An output is right if it has the expected lines, where a line is its
tokens between white space, compared as text; blank lines at the end do not count. A program that prints what is
expected and then fails (a non-zero exit status) has failed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Outcome, Sandbox, Status
from sandboxes.batch import Batch, Job, Result
from tasks.datasets import Problem, StdioTest
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.needs import check_stdio_tests
from tasks.graders.outcomes import VERDICT_OF, reason, shortened

_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


class StdioConfig(BaseModel):
    """Judges programs by the problem's tests on standard input and output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = True
    name: Literal["stdio"] = "stdio"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no tests."""
        check_stdio_tests(problems, self.name)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[Judgement]:
        """One judgement a pair, as they are reached; `no_answer` where there is no program."""
        yield from judge(programs_of(pairs, extract_program), Batch(needed(sandbox)))


@dataclass(frozen=True, slots=True)
class Program:
    """A sample that is a program, and the problem whose tests it must pass."""

    problem: Problem
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """When a program passes a test: `same(expected, got)` says so of what it printed. `fails_by_status`: whether one
    that ends with an error has failed, whatever it printed."""

    same: Callable[[str, str], bool]
    fails_by_status: bool = True


def needed(sandbox: Sandbox | None) -> Sandbox:
    """The sandbox that graders of programs cannot do without."""
    if sandbox is None:
        raise ValueError("graders of programs run code: they need a sandbox")
    return sandbox


def programs_of(pairs: Sequence[tuple[Problem, Sample]], extract: Callable[[str], str]) -> Iterator[Program]:
    """The samples as programs."""
    for problem, _ in pairs:
        if not problem.stdio_tests:
            raise ValueError(f"problem {problem.id!r} has no stdio tests; no program of it can be judged")
    return (Program(problem, sample.index, extract(sample.text)) for problem, sample in pairs)


def judge(programs: Iterable[Program], batch: Batch, rule: Rule | None = None) -> Iterator[Judgement]:
    """One judgement for each program, as they are reached; by lines of tokens, unless by another rule. Programs are
    taken as workers get free. Equal programs of a problem are run once: the judgements on the others cost 0 seconds."""
    chosen = rule or Rule(same_output)
    for result in batch.run(_job(program, batch.sandbox, chosen) for program in programs):
        problem, index = result.key
        verdict, detail = _verdict(problem, result)
        yield Judgement(problem.id, index, verdict, detail, result.cpu_s, result.wall_s)


def extract_program(text: str) -> str:
    """The program in a sample's text."""
    fenced = _FENCE.search(text)
    return fenced[1] if fenced else text


def same_output(expected: str, got: str) -> bool:
    """Whether two outputs have the same lines of tokens."""
    if expected == got:
        return True
    # Lines are taken apart only as far as they agree: a program may print millions.
    expected, got = expected.rstrip(), got.rstrip()
    if expected.count("\n") != got.count("\n"):
        return False
    return all(a.split() == b.split() for a, b in zip(expected.split("\n"), got.split("\n"), strict=True))


def _job(program: Program, sandbox: Sandbox, rule: Rule) -> Job[tuple[Problem, int]]:
    problem = program.problem
    tests = problem.stdio_tests

    def accept(number: int, outcome: Outcome) -> bool:
        ended = outcome.status is Status.OK or (outcome.status is Status.ERROR and not rule.fails_by_status)
        return ended and rule.same(tests[number].stdout, _text(outcome))

    empty = not program.text.strip()
    return Job(
        (problem, program.index),
        program.text,
        [] if empty else _Inputs(tests),
        accept,
        sandbox.limits(problem.time_limit_s, problem.memory_limit_mb),
        group=None if empty else problem.id,
    )


class _Inputs(Sequence[bytes]):
    """The tests' inputs, encoded when they are needed: most programs fail the first, and some tests are large."""

    def __init__(self, tests: Sequence[StdioTest]) -> None:
        self._tests = tests

    def __len__(self) -> int:
        return len(self._tests)

    def __getitem__(self, number: Any) -> Any:
        return self._tests[number].stdin.encode()


def _verdict(problem: Problem, result: Result[tuple[Problem, int]]) -> tuple[Verdict, str]:
    """The first test that the program failed decides, before one on which only the sandbox did."""
    if not result.outcomes:
        return Verdict.NO_ANSWER, "there is no program"
    if result.passed:
        return Verdict.CORRECT, ""
    at = {number: outcome for number, outcome in enumerate(result.outcomes) if number in result.failed}
    own = (number for number, outcome in at.items() if outcome.status is not Status.INFRASTRUCTURE)
    number = next(own, result.failed[0])
    outcome = at[number]
    where = f"test {number + 1} of {len(problem.stdio_tests)}: "
    if outcome.status is not Status.OK:
        return VERDICT_OF[outcome.status], where + reason(outcome)
    expected, got = problem.stdio_tests[number].stdout.strip(), _text(outcome).strip()
    return Verdict.WRONG, f"{where}expected {shortened(expected)!r}, got {shortened(got)!r}"


def _text(outcome: Outcome) -> str:
    return outcome.stdout.decode(errors="replace")
