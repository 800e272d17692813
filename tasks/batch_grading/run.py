"""Grades the samples of a file. Needs neither a store nor Prefect."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes import Sandbox, SandboxConfig, SandboxUnavailableError
from sandboxes.batch import Batch
from tasks.batch_grading.dataset_samples import ByGrader
from tasks.batch_grading.inputs import Samples, check_samples, fingerprint, read_problems
from tasks.batch_grading.programs import by_tests
from tasks.batch_grading.verdict_file import GradesSamples, VerdictFile
from tasks.errors import RESUME
from tasks.graders import Grader
from tasks.graders.stdio import StdioGrader
from tasks.progress import progress
from tasks.records import Problem, Verdict

# After this many failures in a row, the sandbox is not expected to recover.
_MAX_FAILURES = 20


class GradeResult(NamedTuple):
    """The result of grading a file.

    Attributes:
        verdicts: the number of samples by verdict.
        earlier: how many of them an earlier run had graded.
        cpu_s: CPU time of the programs or proofs, in seconds.
        failures: how often a sample could not be graded, by reason, the most frequent first.
        deduplicated: samples whose verdict was copied from an identical one for the same problem.
        executions: how many times this run executed a program on a test; None if samples are not programs of a file.
        executions_saved: executions that identical programs would have needed; None as above.
        sandbox, memory_bound: the sandbox, and what bounds the memory of its programs; None if nothing ran in one.
    """

    verdicts: dict[Verdict, int]
    earlier: int
    cpu_s: float
    failures: dict[str, int]
    deduplicated: int = 0
    executions: int | None = None
    executions_saved: int | None = None
    sandbox: str | None = None
    memory_bound: str | None = None

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
    """Check all input, grade the programs that have no verdict yet, and write the file of verdicts.

    With `extract_code`, a program is taken out of its sample's text as the grader `stdio` does it; else it is the text.

    Raises:
        UserError: a file cannot be used; nothing was written.
        SandboxUnavailableError: the sandbox is not available, or keeps failing; verdicts given before are kept.
    """
    sandbox.check()
    read = read_problems(problems)
    checked = _read(samples, read)
    grader = StdioGrader()
    how: dict[str, object] = {"sandbox": sandbox.name, "all_tests": all_tests, grader.name: grader.version}
    if extract_code:
        how["extract_code"] = True
    work = fingerprint(read, checked, {**sandbox.ingredients(), **how})
    with sandbox.open() as opened, VerdictFile(output, checked, work) as verdicts:
        batch = Batch(opened, stop_early=not all_tests)
        todo = f"{_counted(checked.count, 'program')} for {_counted(len(read), 'problem')}"
        progress.get().say(f"{todo}, in {opened.name}, {opened.workers} workers")
        result = _grade(verdicts, by_tests(read, batch, grader if extract_code else None), opened)
        return result._replace(
            deduplicated=batch.deduplicated,
            executions=batch.executions,
            executions_saved=batch.executions_saved,
        )


def grade_dataset(
    *,
    problems: Sequence[Problem],
    samples: Path,
    output: Path,
    grader: Grader,
    sandbox: SandboxConfig,
    how: Mapping[str, Any],
) -> GradeResult:
    """Check all input, grade the samples of a dataset that have no verdict yet, and write the file of verdicts.

    Args:
        problems: the problems of the dataset. Only those that have samples are prepared for grading.
        samples: the file of samples.
        output: the file to write.
        grader: grades them.
        sandbox: where the grader runs programs, if it runs any.
        how: what verdicts depend on in addition to problems and samples, as JSON has it.

    Raises:
        UserError: a file cannot be used, or the grader cannot grade here; nothing was written.
        SandboxUnavailableError: the sandbox is not available, or keeps failing; verdicts given before are kept.
    """
    if grader.runs_code:
        sandbox.check()
    checked = _read(samples, {problem.id: problem for problem in problems})
    wanted = {problem.id: problem for problem in problems if problem.id in checked.problem_ids}
    grader.check(list(wanted.values()))
    work = fingerprint(wanted, checked, how)
    with (
        sandbox.open() if grader.runs_code else nullcontext() as opened,
        VerdictFile(output, checked, work) as verdicts,
    ):
        by = ByGrader(wanted, grader, opened)
        todo = f"{_counted(checked.count, 'sample')} for {_counted(len(wanted), 'problem')}"
        progress.get().say(f"{todo}, graded by {grader.name}")
        return _grade(verdicts, by, opened)._replace(deduplicated=by.deduplicated)


def _read(path: Path, problems: Mapping[str, Problem]) -> Samples:
    progress.get().say(f"reading {path}")
    return check_samples(path, problems)


def _grade(verdicts: VerdictFile, by: GradesSamples, sandbox: Sandbox | None) -> GradeResult:
    """Grade what is pending, and write the file."""
    pending, cpu_s = verdicts.pending, 0.0
    failures: Counter[str] = Counter()
    in_a_row = 0
    if pending < verdicts.total:
        progress.get().say(f"{verdicts.total - pending:,} were graded by an earlier run; resuming")
    progress.get().plan("verdicts", pending)
    for graded in verdicts.grade(by):
        progress.get().advance("verdicts", 1)
        cpu_s += graded.cpu_s
        if graded.verdict is Verdict.INFRASTRUCTURE:
            in_a_row += 1
            failures[graded.detail] += 1
        elif graded.cpu_s:  # A copied verdict does not show that the sandbox works.
            in_a_row = 0
        if sandbox is not None and in_a_row == _MAX_FAILURES:
            raise SandboxUnavailableError(
                f"{sandbox.name} has failed {_MAX_FAILURES} programs in a row ({graded.detail}), with"
                f" {verdicts.pending:,} still to grade. {RESUME}"
            )
    verdicts.finish()
    return GradeResult(
        {verdict: verdicts.counts[verdict] for verdict in Verdict if verdicts.counts[verdict]},
        verdicts.total - pending,
        cpu_s,
        dict(failures.most_common()),
        sandbox=None if sandbox is None else sandbox.name,
        memory_bound=None if sandbox is None else sandbox.memory_bound,
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
