"""What a grader needs of problems and of the installation, checked before any work and said in one line."""

import ast
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.records import Problem


def check_answers(problems: Sequence[Problem], grader: str) -> None:
    """Make sure that every problem has a gold answer; raises UserError naming one that has none."""
    _check(problems, grader, "gold answer", lambda problem: bool((problem.answer or "").strip()))


def check_stdio_tests(problems: Sequence[Problem], grader: str) -> None:
    """Make sure that every problem has tests on stdin and stdout; raises UserError naming one that has none."""
    _check(problems, grader, "tests on stdin and stdout", lambda problem: bool(problem.stdio_tests))


def check_function_tests(problems: Sequence[Problem], grader: str) -> None:
    """Make sure that every problem has a function test that can run; raises UserError naming one that has none."""
    _check(problems, grader, "function test", lambda problem: problem.function_test is not None)
    for problem in problems:
        fault = _fault(problem.function_test.code) if problem.function_test is not None else None
        if fault is not None:
            raise UserError(
                f"grader: {grader} cannot judge problem {problem.id!r}: its function test {fault}; mend it, or take it"
                " out"
            )


def check_algebra(grader: str) -> None:
    """Make sure that the extra `math` is installed; raises UserError where not."""
    absent = [package for package in ("sympy", "math_verify", "antlr4") if find_spec(package) is None]
    if absent:
        raise UserError(
            f"grader: {grader} needs the extra `math` ({', '.join(absent)} not installed): run `uv sync --extra math`"
        )


def needed(sandbox: Sandbox | None) -> Sandbox:
    """The sandbox that graders which run code cannot do without."""
    if sandbox is None:
        raise ValueError("graders that run code need a sandbox")
    return sandbox


def gold_of(problem: Problem) -> str:
    """The gold answer of a problem that was checked to have one."""
    if problem.answer is None:
        raise ValueError(f"problem {problem.id!r} has no gold answer")
    return problem.answer


def _fault(test: str) -> str | None:
    """Why no sample could pass a test, as far as its text shows."""
    try:
        nodes = ast.walk(ast.parse(test))
        bound = {
            name
            for node in nodes
            for name in (getattr(node, "name", None), getattr(node, "asname", None), getattr(node, "id", None))
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"is no Python ({' '.join(str(error).split())[:100]})"
    return None if bound & {"check", "*"} else "defines no check(candidate)"


def _check(problems: Sequence[Problem], grader: str, what: str, has: Callable[[Problem], bool]) -> None:
    without = [problem.id for problem in problems if not has(problem)]
    if without:
        more = f" (and {len(without) - 1:,} more)" if len(without) > 1 else ""
        raise UserError(
            f"grader: {grader} cannot judge problem {without[0]!r}{more}: it has no {what}; take it out, or choose"
            " another grader"
        )
