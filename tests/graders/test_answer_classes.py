"""Which answers are one vote: by the grader's equality, each distinct pair once, transitive."""

import itertools
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.graders.base import answer_classes
from tasks.graders.base.answer_classes import by_grader, by_text
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader


class Counting(FinalAnswerGrader):
    """Says that numbers are the same if they differ by at most 1, which is not transitive."""

    def same_answers(self, pairs: Iterable[tuple[str, str]]) -> Iterable[bool]:
        asked = list(pairs)
        assert len(asked) == len({frozenset(pair) for pair in asked})
        return [abs(int(one) - int(other)) <= 1 for one, other in asked]


@pytest.mark.parametrize("grader", [MathGrader(), MathTolerantGrader(), MathVerifyGrader()])
def test_equal_answers_that_are_written_differently_are_one_class(grader):
    answers = ["0.5", "7", r"\frac{1}{2}", None, "8", "7"]
    found = by_grader(grader, answers, [False] * 6)
    assert found.classes[0] == found.classes[2]
    assert found.classes[1] == found.classes[5]
    assert found.classes[3] is None
    assert len({found.classes[0], found.classes[1], found.classes[4]}) == 3
    assert {frozenset(each) for each in found.spellings} == {
        frozenset({"0.5", r"\frac{1}{2}"}), frozenset({"7"}), frozenset({"8"}),
    }  # fmt: skip


def test_correct_answers_are_one_class_which_no_wrong_answer_joins():
    found = by_grader(MathGrader(), ["0.5", "1/2", "0.5"], [True, True, False])
    assert found.classes[0] == found.classes[1] != found.classes[2]


def test_a_grader_without_an_equality_compares_texts():
    found = by_grader(FinalAnswerGrader(), ["5", "5.0", "5", None], [False, False, False, False])
    assert found == by_text(["5", "5.0", "5", None])
    assert found.classes == (0, 1, 0, None)


@given(st.lists(st.tuples(st.integers(0, 12).map(str), st.booleans()), max_size=12))
def test_classes_are_transitive_whatever_the_comparisons_say(rows):
    answers, correct = [row[0] for row in rows], [row[1] for row in rows]
    found = by_grader(Counting(), answers, correct)
    wrong = sorted({int(answer) for answer, right in rows if not right})
    for one, other in itertools.pairwise(wrong):
        same = {found.classes[rows.index((str(each), False))] for each in (one, other)}
        assert (len(same) == 1) == (other - one <= 1)
    assert len({each for each, right in zip(found.classes, correct, strict=True) if right}) <= 1


def test_with_too_many_distinct_answers_only_frequent_ones_are_compared(monkeypatch):
    monkeypatch.setattr(answer_classes, "MAX_PAIRS", 1)
    found = by_grader(Counting(), ["1", "1", "2", "2", "3"], [False] * 5)
    assert found.classes[0] == found.classes[2] != found.classes[4]
    assert found.not_compared == 2


def test_memory_does_not_grow_with_the_pairs_that_are_not_compared():
    answers = list(map(str, range(0, 4_000, 2)))
    tracemalloc.start()
    try:
        found = by_grader(Counting(), answers, [False] * len(answers))
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert found.not_compared == 1_999_000 - answer_classes.MAX_PAIRS
