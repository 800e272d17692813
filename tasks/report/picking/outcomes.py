"""From answers to what selectors pick from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.files.answers import AnsweredProblem
from tasks.graders import Grader
from tasks.graders.base.answer_classes import AnswerClasses, by_grader, by_text
from tasks.selection.outcomes import NO_ANSWER, Outcomes


class Prepared(NamedTuple):
    """Problems to pick answers for, how their answers were told apart, the indices of their samples (None where a file
    does not say), and whole sentences on what was left out."""

    problems: tuple[Outcomes, ...]
    classes: tuple[AnswerClasses, ...]
    indices: tuple[tuple[int | None, ...], ...]
    notes: tuple[str, ...] = ()


def in_classes(problems: Sequence[AnsweredProblem], equality: Grader | None) -> Prepared:
    """The samples of each problem, their answers in classes of equal ones: as the grader says, or as text."""
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
    indices = tuple(tuple(problem.samples) for problem in problems)
    return Prepared(tuple(outcomes), tuple(classes), indices, tuple(notes) if not_compared else ())
