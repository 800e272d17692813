"""The answers in inspect_ai logs, as `monkeys pick` takes them: one scorer's value is the verdict, and the numbers of
the others are scores by the scorers' names.

A value that is a mapping gives a score for each of its numbers, such as `rubric.clarity`. `C` and `I`, or yes and no,
count as 1 and 0, and `P` as 1/2, as in inspect_ai's own accuracy.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem
from tasks.files.rows import first_row
from tasks.importers.inspect_ai import InspectAi, LoggedScore, logged_samples

_PARTIAL = 0.5


class LoggedAnswers(NamedTuple):
    """The samples by problem, and whole sentences on what was left out."""

    problems: dict[str, AnsweredProblem]
    notes: tuple[str, ...]


def is_log(path: Path) -> bool:
    """Whether a file is a log, by its name or its first members.

    Raises:
        UserError: it cannot be read.
    """
    return path.is_file() and InspectAi().recognises(path, first_row(path))


def read_logged_answers(paths: Sequence[Path], verdict: str | None, score_names: Sequence[str] = ()) -> LoggedAnswers:
    """The answers of every sample of some logs; epochs are samples, from 0.

    Args:
        paths: logs.
        verdict: the scorer whose value says what is correct; None: the only one.
        score_names: the scores to take; by default all numbers of the other scorers.

    Raises:
        UserError: a log cannot be read, a sample has several scorers and none was named, or lacks the one that was.
    """
    problems: dict[str, AnsweredProblem] = {}
    failed = ungraded = unanswered = 0
    for where, sample in logged_samples(paths):
        if sample.error is not None:
            failed += 1
            continue
        scores = sample.scores or {}
        chosen = _chosen(where, scores, verdict)
        correct = None if chosen is None else scores[chosen].correct
        if chosen is None or correct is None:
            ungraded += 1
            continue
        numbers = dict(_numbers(scores, without=chosen))
        wanted = score_names or tuple(numbers)
        # An answer that another scorer found is not the one that this verdict is about.
        answer = scores[chosen].answer if isinstance(scores[chosen].answer, str) else None
        unanswered += answer is None and any(isinstance(each.answer, str) for each in scores.values())
        problem = problems.setdefault(str(sample.id), AnsweredProblem(str(sample.id)))
        problem.add(
            where,
            sample.epoch - 1,
            None if answer is None else sample.whole(answer),
            correct,
            {name: numbers.get(name) for name in wanted},
        )
    notes = []
    if failed:
        notes.append(f"Left out: samples that inspect_ai could not finish ({failed:,}).")
    if ungraded:
        notes.append(f"Left out: samples without a verdict ({ungraded:,}).")
    if unanswered:
        notes.append(
            f"Without an answer: samples to which only scorers other than {verdict!r} gave one ({unanswered:,})."
        )
    return LoggedAnswers(problems, tuple(notes))


def _chosen(where: str, scores: Mapping[str, LoggedScore], verdict: str | None) -> str | None:
    if not scores:
        return None
    known = ", ".join(map(repr, scores))
    if verdict is None and len(scores) > 1:
        raise UserError(f"{where}: has scorers {known}; name the one that says what is correct with --verdict")
    if verdict is not None and verdict not in scores:
        raise UserError(f"{where}: scores: has no {verdict!r}; it has {known}")
    return verdict or next(iter(scores))


def _numbers(scores: Mapping[str, LoggedScore], without: str) -> Iterator[tuple[str, float]]:
    for name, score in scores.items():
        if name == without:
            continue
        values = score.value if isinstance(score.value, dict) else {"": score.value}
        for key, value in values.items():
            number = _number(value)
            if number is not None:
                yield f"{name}.{key}" if key else name, number


def _number(value: object) -> float | None:
    """A value as a number; None if it is not a finite one."""
    if value == "P":
        return _PARTIAL
    if isinstance(value, str):
        correct = LoggedScore(value=value).correct
        return None if correct is None else float(correct)
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
