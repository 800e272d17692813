"""Runs an audit from its configuration: the dataset, its problems, and the graders that can grade them here."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.config.audit import AuditGradersConfig, AuditTestsConfig
from flows.setup.defaults import grader_named, load_problems, resolve_grader, select_problems
from tasks.audit import run
from tasks.audit.agreement import Agreement
from tasks.audit.labelled import GOLD
from tasks.audit.problem_audit import ProblemAudit
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.records import Problem


class GradersAudited(NamedTuple):
    """The agreement of each grader, and the graders that this machine cannot run, with the reason."""

    agreements: list[Agreement]
    unavailable: dict[str, str]

    @property
    def sound(self) -> bool:
        """Whether every grader accepts every gold answer, and every sample was graded."""
        return not any(each.not_graded or (each.source == GOLD and each.rate < 1) for each in self.agreements)


def audit_graders(config: AuditGradersConfig) -> GradersAudited:
    """Audit every grader of a dataset, or only the named one; raises as `tasks.audit.run` does."""
    dataset: Dataset = config.dataset
    problems = select_problems(load_problems(dataset), config.limit, dataset)
    graders, unavailable = _graders(config, dataset, problems)
    agreements = run.audit_graders(
        dataset,
        problems,
        graders,
        labelled_file=config.labelled,
        max_solutions=config.max_solutions,
        sandbox=config.sandbox,
    )
    return GradersAudited(agreements, unavailable)


def audit_tests(config: AuditTestsConfig) -> list[ProblemAudit]:
    """Audit the tests of a dataset; raises as `tasks.audit.run` does."""
    dataset: Dataset = config.dataset
    if config.output is not None:
        _check_output(config.output, getattr(dataset, "path", None), config.labelled)
    return run.audit_tests(
        dataset,
        select_problems(load_problems(dataset), config.limit, dataset),
        resolve_grader(dataset, config.grader),
        labelled_file=config.labelled,
        max_solutions=config.max_solutions,
        repeats=config.repeats,
        output=config.output,
        sandbox=config.sandbox,
    )


def _check_output(output: Path, *read: str | None) -> None:
    if not output.parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.parent}")
    if output.suffix != ".jsonl":
        raise UserError(f"--output {output}: does not end in .jsonl")
    if any(path is not None and Path(path).resolve() == output.resolve() for path in read):
        raise UserError(f"--output {output}: is what is audited; write the list elsewhere")


def _graders(
    config: AuditGradersConfig, dataset: Dataset, problems: Sequence[Problem]
) -> tuple[list[Grader], dict[str, str]]:
    """The graders that can grade these problems here, and why the others cannot.

    Raises:
        UserError: the grader that was named, or every one of the dataset's, cannot.
    """
    if config.grader is not None:
        config.grader.check(problems)
        return [config.grader], {}
    graders, unavailable = [], {}
    for name in dataset.graders:
        grader = grader_named(name)
        try:
            grader.check(problems)
        except UserError as error:
            unavailable[name] = str(error)
        else:
            graders.append(grader)
    if not graders:
        raise UserError(next(iter(unavailable.values())))
    return graders, unavailable
