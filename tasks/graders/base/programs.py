"""What graders of whole programs share: run on a problem's tests in order until one fails, and compared outside.

A program that prints nothing wrong on any test is right; where one fails, the verdict says which, and how.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import Field

from sandboxes import Limits, Outcome, Sandbox, Status
from sandboxes.batch import Batch, Job, Result, normalized
from tasks.graders.base.behaviour import behaviours
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
    that ends with an error has failed, whatever it printed. `normal(got)` is the form of an output in which two
    programs must print the same to behave alike."""

    same: Callable[[str, str], bool]
    normal: Callable[[str], str]
    require_exit_zero: bool = True

    def ended(self, outcome: Outcome) -> bool:
        """Whether what a program printed counts."""
        return outcome.status is Status.OK or (outcome.status is Status.ERROR and not self.require_exit_zero)


class ProgramGrader(TextGrader, ABC):
    """A grader (`tasks.graders.Grader`) that has only to find a sample's program and to compare outputs. Subclasses set
    `name`, `version` and `rule`."""

    runs_code: ClassVar[bool] = True
    rule: ClassVar[Rule]
    behaviour_inputs: int = Field(
        0,
        ge=0,
        le=100,
        description="On how many inputs, made from those of the public tests, what programs print becomes their answer,"
        " so that those that behave alike have one vote; 0: programs have no answer",
    )

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
        batch = Batch(require_sandbox(sandbox))
        if self.behaviour_inputs:
            yield from self._with_behaviours(list(programs), batch)
        else:
            yield from grade_programs(programs, batch, self.rule)
        yield from lost

    def _with_behaviours(self, programs: Sequence[Program], batch: Batch) -> Iterator[GradedSample]:
        """Graded samples whose answer is what the program does; the first of equal programs has its cost. One whose
        executions the sandbox lost, each time that the batch tried, has no answer, and `detail` says why."""

        def normal(outcome: Outcome) -> str | None:
            printed = self.rule.normal(_text(outcome)) if self.rule.ended(outcome) else ""
            return printed if printed or outcome.status is Status.OK else None

        found = behaviours(((each.problem, each.text) for each in programs), self.behaviour_inputs, batch, normal)
        texts = {(each.problem.id, each.index): normalized(each.text) for each in programs}
        counted: set[tuple[str, str]] = set()
        for graded in grade_programs(programs, batch, self.rule):
            key = (graded.problem_id, texts[graded.problem_id, graded.index])
            behaviour = found.get(key)
            if behaviour is None:
                yield graded
                continue
            if behaviour.lost is not None:
                # The verdict is that of the tests, whatever became of the vote.
                why = f"no answer: on an input without an expected output: {behaviour.lost}"
                yield replace(graded, detail="; ".join(filter(None, [graded.detail, why])))
                continue
            first = key not in counted
            counted.add(key)
            yield replace(
                graded,
                answer=behaviour.answer,
                cpu_s=graded.cpu_s + first * behaviour.cpu_s,
                wall_s=graded.wall_s + first * behaviour.wall_s,
            )

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
        return rule.ended(outcome) and rule.same(tests[number].stdout, _text(outcome))

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
