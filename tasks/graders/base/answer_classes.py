"""Which answers of one problem are the same, by the rule of a grader: their classes are what a vote counts.

Graders decide whether an answer is the gold answer; a vote also has to know whether two wrong answers are the same, or
else 1/2 and 0.5 would be two minorities. All correct answers are one class. Wrong ones are compared by the grader's own
equality, each distinct pair once, where it can be killed; what is equal to the same answer is one class, so that the
relation is transitive however the comparisons turn out. A correct and a wrong answer are never the same.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple, Protocol, runtime_checkable

from tasks.graders import Grader

MAX_PAIRS = 2_000
"""The most pairs of answers that are compared for one problem: those of its most frequent answers."""


@runtime_checkable
class ComparesAnswers(Protocol):
    """What a grader has if equal answers may be written differently in its canonical spelling."""

    def same_answers(self, pairs: Iterable[tuple[str, str]]) -> Iterable[bool]:
        """For each pair of canonical answers, whether they are the same; in order. No comparison takes forever."""
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
        grader: one without `same_answers` compares canonical texts.
        answers: the samples' answers in the grader's canonical spelling.
        correct: whether each is correct.
    """
    if not isinstance(grader, ComparesAnswers):
        return by_text(answers)
    times: dict[tuple[bool, str], int] = {}
    for answer, right in zip(answers, correct, strict=True):
        if answer is not None:
            times[right, answer] = times.get((right, answer), 0) + 1
    ordered = sorted(times, key=lambda each: (-times[each], each))
    first = {each: each for each in ordered}

    def root(each: tuple[bool, str]) -> tuple[bool, str]:
        while first[each] != each:
            first[each] = first[first[each]]
            each = first[each]
        return each

    correct_ones = [each for each in ordered if each[0]]
    for each in correct_ones[1:]:
        first[each] = correct_ones[0]
    wrong = [each for each in ordered if not each[0]]
    # Pairs of the most frequent answers first.
    pairs = sorted(combinations(range(len(wrong)), 2), key=lambda pair: (pair[1], pair[0]))
    compared = pairs[:MAX_PAIRS]
    same = grader.same_answers([(wrong[one][1], wrong[other][1]) for one, other in compared])
    for (one, other), equal in zip(compared, same, strict=True):
        if equal:
            ends = sorted((root(wrong[one]), root(wrong[other])), key=ordered.index)
            first[ends[1]] = ends[0]
    numbers: dict[tuple[bool, str], int] = {}
    spellings: list[list[str]] = []
    for each in ordered:
        at = numbers.setdefault(root(each), len(numbers))
        if at == len(spellings):
            spellings.append([])
        spellings[at].append(each[1])
    classes = tuple(
        None if answer is None else numbers[root((bool(right), answer))]
        for answer, right in zip(answers, correct, strict=True)
    )
    return AnswerClasses(classes, tuple(map(tuple, spellings)), len(pairs) - len(compared))
