"""From tables of answers to what selectors pick from, and from names to selectors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import yaml

from flows.config.pick import ChosenEquality, ChosenSelector
from flows.config.yaml_file import build_config
from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem
from tasks.graders import Grader
from tasks.graders.base.answer_classes import AnswerClasses, by_grader, by_text
from tasks.selection import Outcomes, Selector
from tasks.selection.outcomes import NO_ANSWER
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import find
from tasks.store.inspect.opening import open_store


class Prepared(NamedTuple):
    """Problems to pick answers for, how their answers were told apart, and whole sentences on what was left out."""

    problems: tuple[Outcomes, ...]
    classes: tuple[AnswerClasses, ...]
    notes: tuple[str, ...] = ()


def from_store(url: str, name: str, verdicts: str | None, grader: str | None) -> Prepared:
    """The graded samples of a stored set; answers are equal as its grader says, unless another is named.

    Raises:
        UserError: the set is not there, is not graded, or cannot be read; there is no grader of this name.
    """
    with open_store(url) as store:
        found = find(store, name)
        graded = found.graded_by(verdicts)
        if graded is None:
            raise UserError(f"{found.name} is not graded yet; run its sweep, or `monkeys regrade`")
        stored = stored_answers(store, found, graded)
    notes = list(stored.notes)
    if grader is None:
        grader = str(graded.ingredients["grader"])
        try:
            _equality(grader)
        except UserError:
            notes.append(f"The grader {grader} is not available here: answers are the same if their texts are.")
            grader = None
    read = prepared(stored.problems, grader)
    return read._replace(notes=(*notes, *read.notes))


def prepared(problems: Sequence[AnsweredProblem], grader: str | None) -> Prepared:
    """The samples of each problem, their answers in classes of equal ones: as the grader of this name says, or as text.

    Raises:
        UserError: there is no grader of this name.
    """
    equality = None if grader is None else _equality(grader)
    answered = any(answer is not None for problem in problems for answer in problem.answers)
    outcomes, classes = [], []
    for problem in problems:
        same = by_text(problem.answers) if equality is None else by_grader(equality, problem.answers, problem.correct)
        outcomes.append(
            Outcomes(
                problem.problem_id,
                np.array(problem.correct, dtype=np.bool_),
                np.array([NO_ANSWER if each is None else each for each in same.classes], dtype=np.int64)
                if answered
                else None,
                {name: np.array(values, dtype=np.float64) for name, values in problem.scores.items()},
                None if None in problem.passed else np.array(problem.passed, dtype=np.bool_),
            )
        )
        classes.append(same)
    not_compared = sum(each.not_compared for each in classes)
    notes = [f"{not_compared:,} pairs of rare answers were too many to compare: they count as different."]
    return Prepared(tuple(outcomes), tuple(classes), tuple(notes) if not_compared else ())


def selector(text: str) -> Selector:
    """The selector that a person names: `majority`, or `{name: best_of, score: reward}`.

    Raises:
        UserError: there is none of this name, or a field is wrong.
    """
    return build_config(ChosenSelector, {"selector": _yaml("--by", text)}, where=f"--by {text}").selector


def _equality(text: str) -> Grader:
    return build_config(ChosenEquality, {"grader": _yaml("--grader", text)}, where=f"--grader {text}").grader


def _yaml(option: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{option} {text}: broken YAML ({' '.join(str(error).split())})") from error
