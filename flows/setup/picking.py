"""From tables of answers to what selectors pick from, and from names to selectors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import yaml
from pydantic import TypeAdapter, ValidationError

from flows.config.choices import GraderConfig, SelectorConfig
from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem
from tasks.graders.base.answer_classes import AnswerClasses, by_grader, by_text
from tasks.selection import Outcomes, Selector
from tasks.selection.outcomes import NO_ANSWER


class Prepared(NamedTuple):
    """Problems to pick answers for, and how their answers were told apart."""

    problems: tuple[Outcomes, ...]
    classes: tuple[AnswerClasses, ...]


def prepared(problems: Sequence[AnsweredProblem], grader: str | None) -> Prepared:
    """The samples of each problem, their answers in classes of equal ones: as the grader of this name says, or as text.

    Raises:
        UserError: there is no such grader.
    """
    equality = None if grader is None else _chosen("--grader", GraderConfig, grader)
    outcomes, classes = [], []
    for problem in problems:
        if equality is None:
            same = by_text(problem.answers)
        else:
            same = by_grader(equality, problem.answers, problem.correct)
        passed = [each for each in problem.passed if each is not None]
        outcomes.append(
            Outcomes(
                problem.problem_id,
                np.array(problem.correct, dtype=np.bool_),
                np.array([NO_ANSWER if each is None else each for each in same.classes], dtype=np.int64),
                {name: np.array(values, dtype=np.float64) for name, values in problem.scores.items()},
                np.array(passed, dtype=np.bool_) if len(passed) == len(problem.passed) else None,
            )
        )
        classes.append(same)
    return Prepared(tuple(outcomes), tuple(classes))


def selector(text: str) -> Selector:
    """The selector that a person names: `majority`, or `{name: best_of, score: reward}`.

    Raises:
        UserError: there is none of this name, or a field is wrong.
    """
    chosen: Selector = _chosen("--by", SelectorConfig, text)
    return chosen


def _chosen(option: str, choices: Any, text: str) -> Any:
    try:
        return TypeAdapter(choices).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UserError(f"{option}: {text!r} is not a name, and not YAML such as {{name: majority}}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"][1:])
        raise UserError(f"{option}: {text}: {where + ': ' if where else ''}{first['msg']}") from error
