"""Grading samples in memory."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

from pydantic import BaseModel

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.yaml_file import build_config
from monkeys.progress import shown
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import (
    AnswerCheck,
    Check,
    FunctionCheck,
    GradedSample,
    Problem,
    RepositoryCheck,
    Sample,
    StdioCheck,
    TheoremCheck,
)

Choice = TypeVar("Choice", bound=BaseModel)

_DEFAULT_GRADERS: dict[type[Check], str] = {
    AnswerCheck: "final_answer",
    StdioCheck: "stdio",
    FunctionCheck: "functions",
    TheoremCheck: "proof",
    RepositoryCheck: "swe_bench",
}
_STAGE = "verdicts"


class _Dataset(BaseModel):
    dataset: DatasetConfig


class _Grader(BaseModel):
    grader: GraderConfig


class _Sandbox(BaseModel):
    sandbox: SandboxConfig


def load_problems(dataset: str | Mapping[str, Any]) -> list[Problem]:
    """The problems of a dataset, named as in a sweep file.

    >>> load_problems("arithmetic")[0].id
    'arithmetic/000'

    Args:
        dataset: a name such as `"gsm8k"`, or its fields: `{"name": "gsm8k", "path": "test.jsonl"}`.

    Raises:
        UserError: there is no such dataset, or it cannot be read.
    """
    return _chosen(_Dataset, "dataset", dataset).dataset.load()


def grade(
    problems: Iterable[Problem],
    samples: Sequence[Sample],
    *,
    grader: str | Mapping[str, Any] | Grader | None = None,
    sandbox: str | Mapping[str, Any] = "bubblewrap",
    show_progress: bool = True,
) -> list[GradedSample]:
    """Grade samples of problems.

    >>> from monkeys import AnswerCheck, Problem, Sample
    >>> problem = Problem("sum", "What is 1 + 2?", check=AnswerCheck("3"))
    >>> samples = [Sample("sum", 0, "#### 3"), Sample("sum", 1, "#### 4")]
    >>> [each.verdict.value for each in grade([problem], samples, show_progress=False)]
    ['correct', 'wrong']

    Args:
        problems: the problems, each with a check.
        samples: the samples; each names its problem, and its index is unique for the problem.
        grader: a name, or its fields, as in a sweep file; None: `final_answer`, `stdio` or `functions`, by the
            problems.
        sandbox: where programs run, as in a sweep file: `{"name": "docker", "time_limit_s": 10}`.
        show_progress: show a progress bar.

    Returns:
        A verdict for each sample, in the order of the samples.

    Raises:
        UserError: samples name an unknown problem or repeat an index, or the grader cannot grade these problems.
        SandboxUnavailableError: programs must be run, and this machine cannot offer the sandbox.
    """
    by_id = {problem.id: problem for problem in problems}
    positions = {(each.problem_id, each.index): position for position, each in enumerate(samples)}
    unknown = next((each.problem_id for each in samples if each.problem_id not in by_id), None)
    if unknown is not None:
        raise UserError(f"samples: problem {unknown!r} is not among the {len(by_id):,} problems")
    if len(positions) < len(samples):
        raise UserError("samples: an index occurs twice for a problem; every sample needs its own")
    chosen = _grader(grader, list(by_id.values()))
    chosen.check(list(by_id.values()))
    config = _chosen(_Sandbox, "sandbox", sandbox).sandbox
    if chosen.runs_code:
        config.check()
    graded: list[GradedSample | None] = [None] * len(samples)
    with shown(enabled=show_progress), config.open() if chosen.runs_code else nullcontext() as opened:
        progress.get().plan(_STAGE, len(samples))
        for each in chosen.grade([(by_id[sample.problem_id], sample) for sample in samples], opened):
            progress.get().advance(_STAGE, 1)
            graded[positions[each.problem_id, each.index]] = each
    return [each for each in graded if each is not None]


def _grader(given: str | Mapping[str, Any] | Grader | None, problems: Sequence[Problem]) -> Grader:
    if given is None:
        kinds = {type(problem.check) for problem in problems if problem.check is not None}
        names = {_DEFAULT_GRADERS[kind] for kind in kinds if kind in _DEFAULT_GRADERS}
        if len(names) != 1:
            raise UserError("grader: the problems do not have one kind of check in common; name a grader")
        given = names.pop()
    if not isinstance(given, str | Mapping):
        return given
    return _chosen(_Grader, "grader", given).grader


def _chosen(model: type[Choice], role: str, given: str | Mapping[str, Any]) -> Choice:
    """What a sweep file would choose by this name, or by these fields."""
    return build_config(model, {role: given if isinstance(given, str) else dict(given)}, where="monkeys")
