"""Which answers of one problem are the same, by the rule of a grader: their classes are what a vote counts.

Graders decide whether an answer is the gold answer; a vote also has to know whether two wrong answers are the same, or
else 1/2 and 0.5 would be two minorities. All correct answers are one class. Wrong ones are compared by the grader's own
equality, each distinct pair once, where it can be killed; what is equal to the same answer is one class, so that the
relation is transitive however the comparisons turn out. A correct and a wrong answer are never the same.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, runtime_checkable

from tasks.graders import Grader

MAX_PAIRS = 2_000
"""The most pairs of answers that are compared for one problem: those of its most frequent answers."""


@runtime_checkable
class ComparesAnswers(Protocol):
    """What a grader has if equal answers may differ in its normal form."""

    def same_answers(self, pairs: Iterable[tuple[str, str]]) -> Iterable[bool]:
        """For each pair of answers in normal form, whether they are the same; in order. No comparison takes forever."""
        ...


class AnswerClasses(NamedTuple):
    """`classes` has the class of each sample, None where it has no answer. `spellings` are the distinct texts of each
    class, the most frequent first. `not_compared` counts pairs of distinct answers that were too many to compare."""

    classes: tuple[int | None, ...]
    spellings: tuple[tuple[str, ...], ...]
    not_compared: int = 0


def by_text(answers: Sequence[str | None]) -> AnswerClasses:
    """Answers are the same if their texts are."""
    found: dict[str, int] = {}
    classes = tuple(None if answer is None else found.setdefault(answer, len(found)) for answer in answers)
    return AnswerClasses(classes, tuple((answer,) for answer in found))


def by_grader(grader: Grader, answers: Sequence[str | None], correct: Sequence[bool]) -> AnswerClasses:
    """Answers are the same if the grader says so.

    Args:
        grader: one without `same_answers` compares texts.
        answers: the samples' answers in the grader's normal form.
        correct: whether each is correct.
    """
    if not isinstance(grader, ComparesAnswers):
        return by_text(answers)
    times = Counter((right, answer) for answer, right in zip(answers, correct, strict=True) if answer is not None)
    ordered = sorted(times, key=lambda each: (-times[each], each))
    first = list(range(len(ordered)))

    def root(at: int) -> int:
        while first[at] != at:
            first[at] = first[first[at]]
            at = first[at]
        return at

    right_ones = [at for at, (right, _) in enumerate(ordered) if right]
    for at in right_ones:
        first[at] = right_ones[0]
    wrong = [at for at, (right, _) in enumerate(ordered) if not right]
    # Pairs of the most frequent answers first. Of thousands of answers there are too many pairs to list them all.
    compared = list(islice(((one, other) for n, other in enumerate(wrong) for one in wrong[:n]), MAX_PAIRS))
    same = grader.same_answers([(ordered[one][1], ordered[other][1]) for one, other in compared])
    for (one, other), equal in zip(compared, same, strict=True):
        if equal:
            low, high = sorted((root(one), root(other)))
            first[high] = low
    roots = [root(at) for at in range(len(ordered))]
    numbers = {at: number for number, at in enumerate(dict.fromkeys(roots))}
    class_of = {each: numbers[at] for each, at in zip(ordered, roots, strict=True)}
    spellings: list[list[str]] = [[] for _ in numbers]
    for (_, answer), number in class_of.items():
        spellings[number].append(answer)
    classes = tuple(
        None if answer is None else class_of[right, answer] for answer, right in zip(answers, correct, strict=True)
    )
    return AnswerClasses(classes, tuple(map(tuple, spellings)), math.comb(len(wrong), 2) - len(compared))
