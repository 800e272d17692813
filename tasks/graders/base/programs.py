"""What graders of whole programs share: run on a problem's tests in order until one fails, and compared outside.

A program that prints nothing wrong on any test is right; where one fails, the verdict says which, and how.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sandboxes import Limits, Outcome, Sandbox, Status
from sandboxes.batch import Batch, Job, Result
from tasks.graders.base.code import Code, read_programs
from tasks.graders.base.requirements import require_check, require_checks, require_sandbox
from tasks.graders.base.text import TextGrader
from tasks.graders.base.verdicts import VERDICT_OF, reason, shortened
from tasks.records import GradedSample, Problem, Sample, StdioCheck, StdioTest, Verdict


@dataclass(frozen=True, slots=True)
class Program:
    """A sample that is a program, and the problem whose tests it must pass."""

    problem: Problem
    index: int
    text: str

    @property
    def tests(self) -> tuple[StdioTest, ...]:
        """The problem's tests; raises UserError where it has none."""
        return require_check(self.problem, StdioCheck).tests


@dataclass(frozen=True, slots=True)
class Rule:
    """When a program passes a test: `same(expected, got)` says so of what it printed. `require_exit_zero`: whether one
    that ends with an error has failed, whatever it printed."""

    same: Callable[[str, str], bool]
    require_exit_zero: bool = True


class ProgramGrader(TextGrader, ABC):
    """A grader (`tasks.graders.Grader`) that has only to find a sample's program and to compare outputs. Subclasses set
    `name`, `version` and `rule`."""

    runs_code: ClassVar[bool] = True
    rule: ClassVar[Rule]

    @abstractmethod
    def program(self, text: str) -> Code:
        """The program in a sample's text, without what the model thought before it, or the several that may be it."""

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no tests."""
        require_checks(problems, StdioCheck, self.name)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        """One graded sample for each pair, in any order; `no_answer` where there is no program."""
        for problem, _ in pairs:
            require_check(problem, StdioCheck)
        samples, lost = [sample for _, sample in pairs], list[GradedSample]()
        programs = (
            Program(pairs[position][0], samples[position].index, program)
            for position, program in read_programs(samples, self.found(sample.text for sample in samples), lost)
        )
        yield from grade_programs(programs, Batch(require_sandbox(sandbox)), self.rule)
        yield from lost

    def found(self, texts: Iterable[str]) -> Iterator[tuple[Code, None]]:
        """What `tasks.graders.base.code.chosen` is to take the programs of samples from."""
        return ((self.program(self.answer_text(text)), None) for text in texts)


def grade_programs(programs: Iterable[Program], batch: Batch, rule: Rule) -> Iterator[GradedSample]:
    """One graded sample for each program, in any order. Programs are taken as workers get free. Equal programs of a
    problem are run once: the verdicts on the others cost 0 seconds."""
    for result in batch.run(_job(program, rule) for program in programs):
        program = result.key
        verdict, detail = _verdict(program, result)
        passed = _passed_public_tests(program, result)
        yield GradedSample(
            program.problem.id, program.index, verdict, detail, result.cpu_s, result.wall_s, passed=passed
        )


def _job(program: Program, rule: Rule) -> Job[Program]:
    problem, tests = program.problem, program.tests

    def accept(number: int, outcome: Outcome) -> bool:
        ended = outcome.status is Status.OK or (outcome.status is Status.ERROR and not rule.require_exit_zero)
        return ended and rule.same(tests[number].stdout, _text(outcome))

    empty = not program.text.strip()
    return Job(
        program,
        program.text,
        [] if empty else _Inputs(tests),
        accept,
        Limits(cpu_s=problem.time_limit_s, memory_mb=problem.memory_limit_mb),
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


def _verdict(program: Program, result: Result[Program]) -> tuple[Verdict, str]:
    """The first test that the program failed decides, before one on which only the sandbox did."""
    if not result.outcomes:
        return Verdict.NO_ANSWER, "there is no program"
    if result.passed:
        return Verdict.CORRECT, ""
    at = {number: outcome for number, outcome in enumerate(result.outcomes) if number in result.failed}
    own = (number for number, outcome in at.items() if outcome.status is not Status.INFRASTRUCTURE)
    number = next(own, result.failed[0])
    outcome = at[number]
    where = f"test {number + 1} of {len(program.tests)}: "
    if outcome.status is not Status.OK:
        return VERDICT_OF[outcome.status], where + reason(outcome)
    expected, got = program.tests[number].stdout.strip(), _text(outcome).strip()
    return Verdict.WRONG, f"{where}expected {shortened(expected)!r}, got {shortened(got)!r}"


def _passed_public_tests(program: Program, result: Result[Program]) -> bool | None:
    """They are run first, so that it costs no further execution to know this."""
    public = require_check(program.problem, StdioCheck).public
    if public is None or result.infrastructure:
        return None
    return bool(result.outcomes) and not any(number < public for number in result.failed)


def _text(outcome: Outcome) -> str:
    # A byte that is not UTF-8 stays itself: it equals no character that is expected.
    return outcome.stdout.decode(errors="surrogateescape")
