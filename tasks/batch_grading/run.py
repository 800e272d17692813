"""Grading programs in files, step by step. It needs neither a store nor Prefect."""

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

# Failures of the sandbox in a row after which it is not expected to come back by itself.
_HOPELESS = 20


class GradeResult(NamedTuple):
    """What came of it: samples by verdict; of those, how many an earlier run had graded; and what this one did.

    `equal` programs were the same as another of their problem, which saved `saved` executions. `trouble` is what the
    sandbox failed of, as often as it did.
    """

    verdicts: dict[Verdict, int]
    earlier: int
    executions: int
    equal: int
    saved: int
    cpu_s: float
    sandbox: str
    memory_bound: str
    trouble: dict[str, int]

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
    """Check everything, grade what has no verdict yet, and give the file its name. With `extract_code` a sample's
    program is found in its text as the grader `stdio` finds it; without, it is the text.

    Raises:
        UserError: a file cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox, or no longer could; the verdicts up to then
            are kept.
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
        trouble: dict[str, int] = {}
        in_a_row = 0
        todo = f"{_counted(checked.count, 'program')} for {_counted(len(read), 'problem')}"
        progress.get().say(f"{todo}, in {opened.name}, {opened.workers} at once")
        if pending < checked.count:
            progress.get().say(f"{checked.count - pending:,} of them were graded before; resuming")
        progress.get().plan("verdicts", pending)
        for graded in verdicts.grade(read, batch, grader if extract_code else None):
            progress.get().advance("verdicts", 1)
            cpu_s += graded.cpu_s
            if graded.verdict is Verdict.INFRASTRUCTURE:
                in_a_row += 1
                trouble[graded.detail] = trouble.get(graded.detail, 0) + 1
            elif graded.cpu_s:  # An equal program's verdict says nothing of the sandbox as it is now.
                in_a_row = 0
            if in_a_row == _HOPELESS:
                raise SandboxUnavailableError(
                    f"{opened.name} has failed {_HOPELESS} programs in a row ({graded.detail}), with"
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
            trouble,
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
