"""What a grader needs of problems and of the installation, checked before any work and said in one line."""

import ast
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TypeVar

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.records import Check, FunctionCheck, Problem

CheckT = TypeVar("CheckT", bound=Check)


def require_check(problem: Problem, kind: type[CheckT]) -> CheckT:
    """The problem's check, which must be of this kind; raises UserError where it is another, or empty."""
    if not isinstance(problem.check, kind) or problem.check.is_empty:
        raise UserError(f"problem {problem.id!r} has no {kind.noun}; no sample of it can be graded")
    return problem.check


def require_checks(problems: Sequence[Problem], kind: type[Check], grader: str) -> None:
    """Make sure that every problem has a check of this kind; raises UserError naming the first without one."""
    without = [each.id for each in problems if not isinstance(each.check, kind) or each.check.is_empty]
    if without:
        more = f" (and {len(without) - 1:,} more)" if len(without) > 1 else ""
        raise UserError(
            f"grader: {grader} cannot grade problem {without[0]!r}{more}: it has no {kind.noun}; exclude it, or choose"
            " another grader"
        )


def check_function_tests(problems: Sequence[Problem], grader: str, checker: Callable[[Problem], str]) -> None:
    """Make sure that every problem has a function test that can run; raises UserError naming one without. `checker` is
    the program that runs a problem's test."""
    require_checks(problems, FunctionCheck, grader)
    for problem in problems:
        fault = _fault(require_check(problem, FunctionCheck).code) or _fault_of_program(problem, checker)
        if fault is not None:
            raise UserError(
                f"grader: {grader} cannot grade problem {problem.id!r}: its function test {fault}; fix or exclude it"
            )


def check_algebra(grader: str) -> None:
    """Make sure that the extra `math` is installed; raises UserError where not."""
    absent = [package for package in ("sympy", "math_verify", "antlr4") if find_spec(package) is None]
    if absent:
        raise UserError(
            f"grader: {grader} needs the extra `math` ({', '.join(absent)} not installed): run `make extra-math`"
        )


def require_sandbox(sandbox: Sandbox | None) -> Sandbox:
    """The sandbox that graders which run code cannot do without."""
    if sandbox is None:
        raise ValueError("graders that run code need a sandbox")
    return sandbox


def _fault(test: str) -> str | None:
    """Why no sample could pass a test, from its text alone."""
    try:
        nodes = ast.walk(ast.parse(test))
        bound = {
            name
            for node in nodes
            for name in (getattr(node, "name", None), getattr(node, "asname", None), _assigned(node))
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"is not valid Python ({' '.join(str(error).split())[:100]})"
    return None if bound & {"check", "*"} else "defines no check(candidate)"


def _assigned(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None


def _fault_of_program(problem: Problem, checker: Callable[[Problem], str]) -> str | None:
    """Why a test cannot be compiled with what stands before it."""
    try:
        compile(checker(problem), "test", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"cannot be compiled ({' '.join(str(error).split())[:100]})"
    return None
