"""Auditing graders and test sets: what is asked for, and the steps of it. It needs neither a store nor Prefect."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from flows.chosen import first_of, grader_for, grader_named
from flows.config import GraderConfig, SandboxConfig, TaskConfig
from sandboxes import Sandbox
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.auditing.agreement import Agreement, agreement
from tasks.auditing.known import GOLD, LABELLED, Known, by_source, gold, labelled, solutions
from tasks.auditing.test_sets import ProblemAudit, audit
from tasks.datasets import Dataset, Problem
from tasks.datasets.exclusions import write_exclusions
from tasks.errors import InputError
from tasks.graders import Grader


class _AuditConfig(BaseModel):
    """Whose tests and samples are looked at, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: TaskConfig = Field(description="Whose graders, gold answers, tests and solutions")
    problems: int | None = Field(default=None, ge=1, description="Only the first so many problems; empty: all")
    labelled: str | None = Field(default=None, description="File of problem_id, text, correct; empty: none")
    each: int = Field(default=10, ge=1, description="At most so many known solutions of a problem, right and wrong")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")


class AuditGradersConfig(_AuditConfig):
    """Which graders are held against which samples."""

    grader: GraderConfig | None = Field(default=None, description="Only this grader; empty: all of the task")


class AuditTestsConfig(_AuditConfig):
    """Which problems' tests are held against which programs, how often, and where the list of bad ones goes."""

    grader: GraderConfig | None = Field(
        default=None, description="How samples are judged; empty: as the task is usually"
    )
    repeats: int = Field(default=3, ge=1, le=100, description="How often each program is judged")
    output: Path | None = Field(default=None, description="Write the problems to leave out to this file")


class GradersAudited(NamedTuple):
    """What came of it, grader by grader, and those that could not be had here, with the reason."""

    agreements: list[Agreement]
    unavailable: dict[str, str]

    @property
    def sound(self) -> bool:
        """Whether every grader finds every gold answer equal to itself, and all was judged."""
        return not any(each.undecided or (each.source == GOLD and each.rate < 1) for each in self.agreements)


def audit_graders(config: AuditGradersConfig, say: Callable[[str], None]) -> GradersAudited:
    """Judge gold answers, known solutions and labelled samples by every grader of a task. `say` is told what goes on.

    Raises:
        InputError: task, file or grader cannot be used.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    dataset: Dataset = config.task
    problems = first_of(dataset.load(), config.problems, dataset)
    known = by_source(_known(dataset, problems, config.each, config.labelled))
    if not known:
        raise InputError(
            f"labelled: {dataset.name} has no known solutions; give a file of samples whose truth is known"
        )
    graders, unavailable = _graders(config, dataset, problems)
    agreements = []
    with _sandbox(graders, config.sandbox) as sandbox:
        for grader in graders:
            for source, samples in known.items():
                say(f"{grader.name}: {len(samples):,} {source}")
                agreements.append(agreement(grader, problems, samples, sandbox))
    return GradersAudited(agreements, unavailable)


def audit_tests(config: AuditTestsConfig, say: Callable[[str], None]) -> list[ProblemAudit]:
    """Judge known programs again and again, and write the problems whose tests cannot be trusted, if asked to.

    Raises:
        InputError: task, file or grader cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    dataset: Dataset = config.task
    if config.output is not None:
        _check_output(config.output, getattr(dataset, "path", None), config.labelled)
    problems = first_of(dataset.load(), config.problems, dataset)
    known = [each for each in _known(dataset, problems, config.each, config.labelled) if each.source != GOLD]
    if not known:
        raise InputError(
            f"labelled: {dataset.name} has no known solutions; give a file of programs whose truth is known"
        )
    grader = grader_for(dataset, config.grader)
    grader.check(problems)
    with _sandbox([grader], config.sandbox) as sandbox:
        times = "once" if config.repeats == 1 else f"{config.repeats} times"
        say(f"{len(known):,} known solutions of {len(problems):,} problems, each judged {times}")
        audits = audit(grader, problems, known, config.repeats, sandbox)
    if config.output is not None:
        bad = {each.problem_id: each.reason for each in audits if each.reason is not None}
        write_exclusions(config.output, bad, [problem.id for problem in problems])
    return audits


def _check_output(output: Path, *read: str | None) -> None:
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}")
    if output.suffix != ".jsonl":
        raise InputError(f"--output {output}: does not end in .jsonl")
    if any(path is not None and Path(path).resolve() == output.resolve() for path in read):
        raise InputError(f"--output {output}: is what is audited; write the list elsewhere")


def _known(dataset: Dataset, problems: Sequence[Problem], each: int, path: str | None) -> list[Known]:
    found = [*gold(problems), *solutions(dataset, problems, each)]
    return [*found, *labelled(path, problems, LABELLED)] if path is not None else found


def _graders(
    config: AuditGradersConfig, dataset: Dataset, problems: Sequence[Problem]
) -> tuple[list[Grader], dict[str, str]]:
    """The graders that can judge these problems here; one that is asked for by name must."""
    if config.grader is not None:
        config.grader.check(problems)
        return [config.grader], {}
    graders, unavailable = [], {}
    for name in dataset.graders:
        grader = grader_named(name)
        try:
            grader.check(problems)
        except InputError as error:
            unavailable[name] = str(error)
        else:
            graders.append(grader)
    if not graders:
        raise InputError(next(iter(unavailable.values())))
    return graders, unavailable


def _sandbox(graders: Sequence[Grader], config: SandboxConfig) -> AbstractContextManager[Sandbox | None]:
    if not any(grader.runs_code for grader in graders):
        return nullcontext()
    return config.open()
