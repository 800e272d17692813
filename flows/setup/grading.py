"""What a sweep and a regrade set up alike: the grading of a selection, and what it needs of this machine."""

from collections.abc import Collection, Sequence
from typing import Any

from pydantic import BaseModel

from flows.setup.defaults import verdict_origins
from sandboxes import SandboxConfig
from tasks.graders import Grader, HasIngredients, HasProblemIngredients
from tasks.records import Problem
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection


def build_grading(selection: Selection, samples: SampleSet, grader: Grader, sandbox: SandboxConfig) -> Grading:
    """The grading of a selection; its verdict set depends on the sandbox if the grader runs code.

    Raises:
        UserError: the sandbox's Python cannot be used.
        SandboxUnavailableError: a Docker engine would have to describe the image, and there is none.
    """
    limits = {**(sandbox.ingredients() if grader.runs_code else {}), **ingredients(grader, selection.dataset)}
    plugins = verdict_origins(grader, sandbox)
    return Grading(
        selection=selection,
        samples=samples,
        grader=grader,
        limits=limits,
        plugins=plugins,
        settings=grader_settings(grader),
    )


def ingredients(grader: Grader, problems: Sequence[Problem]) -> dict[str, Any]:
    """What a grader's verdicts depend on in addition to its settings, such as a prover's version or the images of
    repositories, if it says so."""
    found = dict(grader.ingredients()) if isinstance(grader, HasIngredients) else {}
    if isinstance(grader, HasProblemIngredients):
        found |= grader.problem_ingredients(problems)
    return found


def grader_settings(grader: Grader) -> dict[str, Any]:
    """The settings of a grader that are not its defaults, as JSON has them: verdicts depend on them.

    What a field chooses by name, such as a prover, is named unless it is the default, and its settings that it calls
    `operational` are left out.
    """
    if not isinstance(grader, BaseModel):
        return {}
    settings = grader.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    for field, chosen in grader:
        if isinstance(chosen, BaseModel) and hasattr(chosen, "name"):
            other = type(chosen) is not type(type(grader).model_fields[field].default)
            operational: Collection[str] = getattr(chosen, "operational", ())
            kept = {key: value for key, value in settings.pop(field, {}).items() if key not in operational}
            named = {"name": chosen.name, **kept} if other else kept
            settings |= {field: named} if named else {}
    return settings


def check_grading(grading: Grading, sandbox: SandboxConfig) -> None:
    """Check that this machine can grade.

    Raises:
        UserError: the grader cannot grade these problems here, such as for lack of a package.
        SandboxUnavailableError: this machine cannot run the sandbox.
    """
    grading.grader.check(grading.selection.problems)
    if grading.grader.runs_code:
        sandbox.check()
