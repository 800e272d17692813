"""The contract of graders."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

from monkeys.testing.contract import check_class, one_line, require
from sandboxes import Sandbox, SandboxConfig
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.records import GradedSample, Problem, Sample, Verdict

BUBBLEWRAP = BubblewrapConfig()

MAX_CPU_S = 60.0
"""The CPU time, in seconds, that this process may spend on a hostile sample: far more than reading it in linear time
takes, and many times less than quadratic time. Programs and provers in other processes have their limits, and
what a busy machine does to the wall-clock time says nothing about a grader."""

HOSTILE = (
    "",
    " \n\t",
    "\0",
    "é 数 🙂 \u202e\u200b",
    "٣ ³ ½ 一",
    "1" * 200_000 + "x",
    "-" * 100_000,
    "{" * 100_000,
    "\\frac{" * 20_000,
    "(" * 50_000 + "1" + ")" * 50_000,
    "9^9^9^9^9^9",
    "1e999999999",
    "nan",
    "#### " * 20_000,
    "\\boxed{" * 20_000,
    "```\n" * 20_000,
    "<think>" * 20_000,
)
"""Texts that a model could write, and that break careless graders."""


class GradingCase(NamedTuple):
    """A sample of a problem, and the verdict that it must get."""

    problem: Problem
    text: str
    verdict: Verdict


def check_grader(grader: Grader, cases: Sequence[GradingCase], *, sandbox: SandboxConfig = BUBBLEWRAP) -> None:
    """Check that a grader gives these verdicts, whatever is graded along with a sample, and copes with hostile text.

    Args:
        grader: with the fields that it needs.
        cases: samples with known verdicts, at least one right and one wrong.
        sandbox: opened if the grader runs code.

    Raises:
        ContractError: a promise is broken; the message says which.
        SandboxUnavailableError: programs must be run, and this machine cannot offer the sandbox.
    """
    check_class("grader", grader)
    require(type(grader.version) is int and grader.version >= 1, f"version is {grader.version!r}")
    require(isinstance(grader.runs_code, bool), "runs_code is not a bool")
    require({True, False} <= {case.verdict is Verdict.CORRECT for case in cases}, "give a right and a wrong case")
    grader.check([case.problem for case in cases])
    try:
        grader.check([Problem("open", "?")])
    except UserError as error:
        one_line(error, "check")
    with sandbox.open() if grader.runs_code else nullcontext() as opened:
        _check_cases(grader, cases, opened)
        _check_hostile(grader, cases, opened)


def _check_cases(grader: Grader, cases: Sequence[GradingCase], sandbox: Sandbox | None) -> None:
    require(_grade(grader, [], sandbox) == {}, "grade() yields verdicts on no samples")
    pairs = [(case.problem, Sample(case.problem.id, index, case.text)) for index, case in enumerate(cases)]
    for together in (pairs, pairs[::-1], *([pair] for pair in pairs)):
        for index, graded in _grade(grader, together, sandbox).items():
            case = cases[index]
            require(
                graded.verdict is case.verdict,
                f"{case.text[:100]!r} on {case.problem.id} is {graded.verdict} ({graded.detail}), not {case.verdict}"
                f" (graded with {len(together) - 1} others)",
            )


def _check_hostile(grader: Grader, cases: Sequence[GradingCase], sandbox: Sandbox | None) -> None:
    problem = cases[0].problem
    texts = [*HOSTILE, *(distorted for case in cases for distorted in _distorted(case.text))]
    for text in texts:
        started = time.process_time()
        try:
            (graded,) = _grade(grader, [(problem, Sample(problem.id, 0, text))], sandbox).values()
        except Exception as error:
            require(False, f"{type(error).__name__} on the sample {text[:100]!r}: {error}")
            raise
        took = time.process_time() - started
        require(took < MAX_CPU_S, f"the sample {text[:100]!r} takes {took:.0f} s of this process's CPU time")
        require(graded.verdict is not Verdict.INFRASTRUCTURE, f"{text[:100]!r} is taken for a failed sandbox")


def _distorted(text: str) -> list[str]:
    """Variants of a sample that a model could write: cut, doubled, with too many signs or digits."""
    doubled = "".join(2 * character for character in text)
    digits = "".join(character * (5_000 if character.isdigit() else 1) for character in text)
    signs = "".join(f"-{character}" if character.isdigit() else character for character in text)
    other = "".join(chr(0x660 + int(each)) if each in "0123456789" else each for each in text)  # Arabic digits
    return [text[: len(text) // 2], doubled, digits, signs, signs.replace("-", "--"), other, f"{text}\0", text + text]


def _grade(grader: Grader, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> dict[int, GradedSample]:
    """The graded samples by index; one for each pair."""
    found: dict[int, GradedSample] = {}
    wanted = {sample.index: problem.id for problem, sample in pairs}
    for graded in grader.grade(pairs, sandbox):
        require(isinstance(graded, GradedSample), f"grade() yields {type(graded).__name__}, not a GradedSample")
        require(isinstance(graded.verdict, Verdict), f"{graded.verdict!r} is not a Verdict")
        require(wanted.get(graded.index) == graded.problem_id, f"{graded!r:.100} was not asked for")
        require(graded.index not in found, f"sample {graded.index} of {graded.problem_id} is graded twice")
        found[graded.index] = graded
    require(found.keys() == wanted.keys(), f"{len(found)} of {len(wanted)} samples are graded")
    return found
