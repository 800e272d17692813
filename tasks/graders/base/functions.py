"""Functions graded by a test that they cannot reach.

Two processes run concurrently, each in its own sandbox:

- the program: the sample's code; it serves calls of its function;
- the checker: the test, with the entry point's name bound to a proxy that sends arguments and gets values back, made of
  the checker's own classes (`sandboxes/inside/values.py` and `proxies.py` say which). The verdict is what the checker
  prints, in a place that the program cannot reach.

A test sees what it would see in one process: what a call did to its arguments, whether a result is an argument itself,
functions, iterators and exceptions. Three things differ. A sample's classes never decide what equals what: a test that
compares such an object is an error, which says so. An object that two calls return is two, unless it is a function or
an iterator. And a test cannot catch the end of the sample's process.

Each sample is a separate program. A checker's process may grade several, one after another, where its test is known
to leave nothing behind (`tasks.graders.base.purity`).
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from pydantic import Field

from sandboxes import CheckedOutcome, Limits, Sandbox, Status
from sandboxes.batch import Batch, CheckedJob, normalized
from tasks.graders.base.code import Code, read_programs
from tasks.graders.base.function_behaviour import FunctionKey, function_behaviours
from tasks.graders.base.purity import is_pure
from tasks.graders.base.requirements import check_function_tests, require_check, require_sandbox
from tasks.graders.base.text import TextGrader
from tasks.graders.base.verdicts import VERDICT_OF, reason, shortened
from tasks.records import FunctionCheck, GradedSample, Problem, Sample, Verdict

# Nothing here takes a name that the sample or the test could use.
_PROGRAM = """\
{source}

__import__("remote").serve({entry_point})
__import__("os")._exit(0)
"""

# One text, so that it is compiled once for all samples of a problem. (See `sandboxes/inside/checking.py`.)
_CHECKER = """\
{future}{preamble}
__import__("remote").begin({entry_point!r})
{code}

__import__("remote").finish()
"""

_SAID = {
    "failed": Verdict.WRONG,
    "raised": Verdict.ERROR,
    "refused": Verdict.ERROR,
    "gone": Verdict.ERROR,
    "broken": Verdict.ERROR,
    "memory": Verdict.MEMORY_LIMIT,
}


@dataclass(frozen=True, slots=True)
class Function:
    """A sample that defines the function of a problem: its code, or the several that may be it; and the code that
    stands before it, such as a prompt's imports."""

    problem: Problem
    index: int
    source: Code
    preamble: str = ""


class FunctionGrader(TextGrader, ABC):
    """A grader (`tasks.graders.Grader`) that has only to find the function in a sample. Subclasses set `name` and
    `version`."""

    runs_code: ClassVar[bool] = True
    behaviour_inputs: int = Field(
        0,
        ge=0,
        le=100,
        description="In how many calls, made from those that the prompt shows, what functions return becomes their"
        " answer, so that those that behave alike have one vote; it also says which pass the prompt's examples; 0:"
        " functions have no answer",
    )

    @abstractmethod
    def function(self, problem: Problem, sample: Sample) -> Function:
        """The sample's function; its text is without what the model thought before it."""

    def test_preamble(self, problem: Problem) -> str:
        """The code of a problem that its test may use."""
        del problem
        return ""

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no function test, or one that cannot be compiled."""
        check_function_tests(problems, self.name, self._checker)

    def _checker(self, problem: Problem) -> str:
        return checker_text(self.test_preamble(problem), require_check(problem, FunctionCheck))

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        """One graded sample for each pair, in any order; `no_answer` where there is no code."""
        functions = [self.function(each, replace(sample, text=self.answer_text(sample.text))) for each, sample in pairs]
        names = [require_check(problem, FunctionCheck).entry_point for problem, _ in pairs]
        found = zip((function.source for function in functions), names, strict=True)
        lost: list[GradedSample] = []
        sources = (
            (functions[position], source)
            for position, source in read_programs([sample for _, sample in pairs], found, lost)
        )
        if self.behaviour_inputs:
            yield from self._with_behaviours(list(sources), require_sandbox(sandbox))
        else:
            yield from _grade(sources, self.test_preamble, require_sandbox(sandbox))
        yield from lost

    def _with_behaviours(self, sources: Sequence[tuple[Function, str]], sandbox: Sandbox) -> Iterator[GradedSample]:
        """Graded samples whose answer is what the function does; the first of equal functions has its cost. One whose
        executions the sandbox lost, each time that the batch tried, has no answer, and `detail` says why."""
        programs = [
            (function.problem, _program(function, source), f"{function.preamble}{source}", preamble)
            for function, source in sources
            for preamble in [self.test_preamble(function.problem)]
            if source.strip()
        ]
        found = function_behaviours(programs, self.behaviour_inputs, Batch(sandbox))
        keys = {
            (function.problem.id, function.index): (
                function.problem.id,
                normalized(f"{function.preamble}{source}"),
            )
            for function, source in sources
        }
        checks = {function.problem.id: require_check(function.problem, FunctionCheck) for function, _ in sources}
        counted: set[FunctionKey] = set()
        for graded in _grade(sources, self.test_preamble, sandbox):
            key = keys[graded.problem_id, graded.index]
            behaviour = found.get(key)
            if behaviour is None:  # There is no code.
                yield replace(graded, passed=None if checks[graded.problem_id].public is None else False)
                continue
            if behaviour.lost is not None:
                # The verdict is that of the test, whatever became of the vote.
                why = f"no answer: in a call without an expected result: {behaviour.lost}"
                yield replace(graded, detail="; ".join(filter(None, [graded.detail, why])))
                continue
            first, check = key not in counted, checks[graded.problem_id]
            counted.add(key)
            yield replace(
                graded,
                answer=behaviour.answer,
                passed=_passed(graded) if check.public == check.code else behaviour.passed,
                cpu_s=graded.cpu_s + first * behaviour.cpu_s,
                wall_s=graded.wall_s + first * behaviour.wall_s,
            )


@lru_cache(maxsize=1024)
def checker_text(preamble: str, test: FunctionCheck) -> str:
    """The program that runs a test, after code that it may use. `from __future__` must stand first in it."""
    code, features = test.code, list[str]()
    for node in reversed(ast.parse(code).body if "__future__" in code else []):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            features += [alias.name for alias in node.names]
            lines = code.encode().split(b"\n")
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            # On the same lines, so that those of the test keep their numbers.
            kept = lines[first][: node.col_offset] + b"pass" + b"\n" * (last - first)
            lines[first : last + 1] = [kept + lines[last][node.end_col_offset :]]
            code = b"\n".join(lines).decode()
    future = f"from __future__ import {', '.join(features)}\n" if features else ""
    return _CHECKER.format(future=future, preamble=preamble, code=code, entry_point=test.entry_point)


def _grade(
    functions: Iterable[tuple[Function, str]], preamble: Callable[[Problem], str], sandbox: Sandbox
) -> Iterator[GradedSample]:
    empty: list[Function] = []

    def jobs() -> Iterator[CheckedJob[tuple[str, int]]]:
        for function, source in functions:
            if source.strip():
                yield _job(function, source, preamble(function.problem))
            else:
                empty.append(function)

    for result in Batch(sandbox).run(jobs()):
        problem_id, index = result.key
        verdict, detail = _verdict(CheckedOutcome(*result.outcomes))
        yield GradedSample(problem_id, index, verdict, detail, result.cpu_s, result.wall_s)
    for function in empty:
        yield GradedSample(function.problem.id, function.index, Verdict.NO_ANSWER, "there is no code")


def _passed(graded: GradedSample) -> bool | None:
    """Whether a sample passed a test that is public as a whole."""
    return None if graded.verdict is Verdict.INFRASTRUCTURE else graded.verdict is Verdict.CORRECT


def _program(function: Function, source: str) -> str:
    entry_point = require_check(function.problem, FunctionCheck).entry_point
    return _PROGRAM.format(source=f"{function.preamble}{source}", entry_point=entry_point)


def _job(function: Function, source: str, preamble: str) -> CheckedJob[tuple[str, int]]:
    problem, test = function.problem, require_check(function.problem, FunctionCheck)
    return CheckedJob(
        (problem.id, function.index),
        _program(function, source),
        checker_text(preamble, test),
        Limits(cpu_s=problem.time_limit_s, memory_mb=problem.memory_limit_mb),
        group=problem.id,
        reusable_process=is_pure(f"{preamble}\n{test.code}", test.entry_point),
    )


def _verdict(checked: CheckedOutcome) -> tuple[Verdict, str]:
    """What the checker says of a program that kept to its limits and did not end by itself; otherwise its own end."""
    for outcome in checked:
        if outcome.status is Status.INFRASTRUCTURE:
            return Verdict.INFRASTRUCTURE, outcome.detail
    said, _, detail = checked.checker.stdout.decode(errors="replace").partition(" ")
    if checked.program.status is not Status.OK and said != "refused":
        return VERDICT_OF[checked.program.status], reason(checked.program)
    if said == "passed":
        return Verdict.CORRECT, ""
    if said in _SAID:
        return _SAID[said], shortened(detail)
    return VERDICT_OF.get(checked.checker.status, Verdict.ERROR), "its test: " + reason(checked.checker)
