"""Grades the samples of a file by a dataset's problems."""

from typing import NamedTuple

from flows.config.grade import GradeDatasetConfig
from flows.setup.defaults import load_problems, resolve_grader, select_problems
from flows.setup.grading import grader_settings, ingredients
from tasks.batch_grading.run import GradeResult, grade_dataset
from tasks.provers import UNCONFIRMED


class GradedDataset(NamedTuple):
    """The result, the grader and what its verdicts depend on in a few words, and whether correct proofs are only
    proposed."""

    result: GradeResult
    grader: str
    unconfirmed: bool


def grade_by_dataset(config: GradeDatasetConfig) -> GradedDataset:
    """Grade samples as `config` says.

    Raises:
        UserError: a file or a setting cannot be used; nothing was written.
        SandboxUnavailableError: the sandbox is not available, or keeps failing; verdicts given before are kept.
    """
    grader = resolve_grader(config.dataset, config.grader)
    problems = select_problems(load_problems(config.dataset), None, config.dataset)
    depends = ingredients(grader, problems)
    how = {
        "dataset": config.dataset.name,
        grader.name: grader.version,
        "settings": grader_settings(grader),
        "limits": {**(config.sandbox.ingredients() if grader.runs_code else {}), **depends},
        "sandbox": config.sandbox.name if grader.runs_code else None,
    }
    result = grade_dataset(
        problems=problems,
        samples=config.samples,
        output=config.output,
        grader=grader,
        sandbox=config.sandbox,
        how=how,
    )
    said = ", ".join(f"{name}: {value}" for name, value in depends.items() if name != UNCONFIRMED)
    label = f"{grader.name}, version {grader.version}"
    return GradedDataset(result, f"{label} ({said})" if said else label, UNCONFIRMED in depends)
