"""Grades programs in files. Needs neither a store nor Prefect."""

from pathlib import Path
from typing import NamedTuple

from sandboxes import SandboxConfig, SandboxUnavailableError
from sandboxes.batch import Batch
from tasks.batch_grading.inputs import check_samples, fingerprint, read_problems
from tasks.batch_grading.verdict_file import VerdictFile
from tasks.errors import RESUME
from tasks.graders.stdio import StdioGrader
from tasks.progress import progress
from tasks.records import Verdict

# After this many failures in a row, the sandbox is not expected to recover.
_MAX_FAILURES = 20


class GradeResult(NamedTuple):
    """The result of grading a file.

    Attributes:
        verdicts: the number of samples by verdict.
        earlier: how many of them an earlier run had graded.
        executions: how many times this run executed a program on a test.
        deduplicated: programs whose verdict was copied from an identical program for the same problem.
        executions_saved: executions that these would have needed.
        cpu_s: CPU time of the programs, in seconds.
        sandbox, memory_bound: the sandbox, and what bounds the memory of its programs.
        failures: how often the sandbox failed, by reason.
    """

    verdicts: dict[Verdict, int]
    earlier: int
    executions: int
    deduplicated: int
    executions_saved: int
    cpu_s: float
    sandbox: str
    memory_bound: str
    failures: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether every sample has a final verdict."""
        return not self.verdicts.get(Verdict.INFRASTRUCTURE)


def grade_files(
    *,
    problems: Path,
    samples: Path,
    output: Path,
    sandbox: SandboxConfig,
    all_tests: bool,
    extract_code: bool,
) -> GradeResult:
    """Check all input, grade the samples that have no verdict yet, and write the file of verdicts.

    With `extract_code`, a program is taken out of its sample's text as the grader `stdio` does it; else it is the text.

    Raises:
        UserError: a file cannot be used; nothing was written.
        SandboxUnavailableError: the sandbox is not available, or keeps failing; verdicts given before are kept.
    """
    sandbox.check()
    read = read_problems(problems)
    progress.get().say(f"reading {samples}")
    checked = check_samples(samples, read)
    grader = StdioGrader()
    how: dict[str, object] = {"sandbox": sandbox.name, "all_tests": all_tests, grader.name: grader.version}
    if extract_code:
        how["extract_code"] = True
    work = fingerprint(read, checked, {**sandbox.ingredients(), **how})
    with sandbox.open() as opened, VerdictFile(output, checked, work) as verdicts:
        batch = Batch(opened, stop_early=not all_tests)
        pending, cpu_s = verdicts.pending, 0.0
        failures: dict[str, int] = {}
        in_a_row = 0
        todo = f"{_counted(checked.count, 'program')} for {_counted(len(read), 'problem')}"
        progress.get().say(f"{todo}, in {opened.name}, {opened.workers} workers")
        if pending < checked.count:
            progress.get().say(f"{checked.count - pending:,} were graded by an earlier run; resuming")
        progress.get().plan("verdicts", pending)
        for graded in verdicts.grade(read, batch, grader if extract_code else None):
            progress.get().advance("verdicts", 1)
            cpu_s += graded.cpu_s
            if graded.verdict is Verdict.INFRASTRUCTURE:
                in_a_row += 1
                failures[graded.detail] = failures.get(graded.detail, 0) + 1
            elif graded.cpu_s:  # A copied verdict does not show that the sandbox works.
                in_a_row = 0
            if in_a_row == _MAX_FAILURES:
                raise SandboxUnavailableError(
                    f"{opened.name} has failed {_MAX_FAILURES} programs in a row ({graded.detail}), with"
                    f" {verdicts.pending:,} still to grade. {RESUME}"
                )
        verdicts.finish()
        return GradeResult(
            {verdict: verdicts.counts[verdict] for verdict in Verdict if verdicts.counts[verdict]},
            checked.count - pending,
            batch.executions,
            batch.deduplicated,
            batch.executions_saved,
            cpu_s,
            opened.name,
            opened.memory_bound,
            failures,
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
