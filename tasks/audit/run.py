"""Audits of graders and of problems' tests, step by step. They need neither a store nor Prefect."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from sandboxes import Sandbox, SandboxConfig
from tasks.audit.agreement import Agreement, agreement
from tasks.audit.labelled import GOLD, LABELLED, by_source, gold_answers, labelled, solutions
from tasks.audit.problem_audit import ProblemAudit, audit
from tasks.datasets import Dataset
from tasks.datasets.exclusions import write_exclusions
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import LabelledSample, Problem


def audit_graders(
    dataset: Dataset,
    problems: Sequence[Problem],
    graders: Sequence[Grader],
    *,
    labelled_file: str | None,
    max_solutions: int,
    sandbox: SandboxConfig,
) -> list[Agreement]:
    """Grade gold answers, known solutions and labelled samples with each grader.

    Raises:
        UserError: the dataset, the file or a grader cannot be used.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    samples = by_source(_labelled(dataset, problems, max_solutions, labelled_file))
    if not samples:
        raise UserError(f"labelled: {dataset.name} has no known solutions; give a file of labelled samples")
    agreements = []
    with _opened(graders, sandbox) as opened:
        for grader in graders:
            for source, of_source in samples.items():
                progress.get().say(f"{grader.name}: {len(of_source):,} {source}")
                agreements.append(agreement(grader, problems, of_source, opened))
    return agreements


def audit_tests(
    dataset: Dataset,
    problems: Sequence[Problem],
    grader: Grader,
    *,
    labelled_file: str | None,
    max_solutions: int,
    repeats: int,
    output: Path | None,
    sandbox: SandboxConfig,
) -> list[ProblemAudit]:
    """Grade labelled programs several times, and write the problems whose tests cannot be trusted to `output`.

    Raises:
        UserError: the dataset, the file or the grader cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    samples = [each for each in _labelled(dataset, problems, max_solutions, labelled_file) if each.source != GOLD]
    if not samples:
        raise UserError(f"labelled: {dataset.name} has no known solutions; give a file of labelled programs")
    grader.check(problems)
    with _opened([grader], sandbox) as opened:
        times = "once" if repeats == 1 else f"{repeats} times"
        progress.get().say(f"{len(samples):,} known solutions of {len(problems):,} problems, each graded {times}")
        audits = audit(grader, problems, samples, repeats, opened)
    if output is not None:
        bad = {each.problem_id: each.reason for each in audits if each.reason is not None}
        write_exclusions(output, bad, [problem.id for problem in problems])
    return audits


def _labelled(
    dataset: Dataset, problems: Sequence[Problem], max_solutions: int, path: str | None
) -> list[LabelledSample]:
    found = [*gold_answers(problems), *solutions(dataset, problems, max_solutions)]
    return [*found, *labelled(path, problems, LABELLED)] if path is not None else found


def _opened(graders: Sequence[Grader], sandbox: SandboxConfig) -> AbstractContextManager[Sandbox | None]:
    if not any(grader.runs_code for grader in graders):
        return nullcontext()
    return sandbox.open()
