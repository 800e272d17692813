"""The final-answer rule on what samples really look like."""

import pytest

from tasks.graders.final_answer import FinalAnswerGrader, extract
from tasks.records import AnswerCheck, Problem, Sample, Verdict


def _verdict(text: str, answer: str = "1234") -> Verdict:
    pair = (Problem("p", "?", AnswerCheck(answer)), Sample("p", 3, text))
    (graded,) = FinalAnswerGrader().grade([pair], None)
    assert (graded.problem_id, graded.index) == ("p", 3)
    return graded.verdict


@pytest.mark.parametrize(
    "text",
    [
        " 1000 + 234 = 1234\n#### 1234",
        "#### 1,234",
        "####1234.",
        "#### $1,234",
        "#### 1 234 \nand so on",
        "#### 1234\n#### 5",
        "####\t1234",
    ],
)
def test_answers_are_compared_in_their_normal_form(text):
    assert _verdict(text) is Verdict.CORRECT


@pytest.mark.parametrize(
    "text", ["#### 1235", "#### 5\n#### 1234", "#### -1234", "#### 1234.0", "#### 1234 apples", "#### x", "#### ."]
)
def test_another_answer_is_wrong(text):
    assert _verdict(text) is Verdict.WRONG


@pytest.mark.parametrize("text", ["", "1234", "### 1234", "####", "#### \n1234", "the answer is 1234"])
def test_a_text_without_a_marked_answer_has_no_answer(text):
    assert _verdict(text) is Verdict.NO_ANSWER


def test_the_gold_answer_is_normalised_as_well():
    assert _verdict("#### 72000", answer="72,000") is Verdict.CORRECT


def test_the_first_marked_answer_counts():
    assert extract("a #### 1\n#### 2") == "1"


def test_a_problem_without_an_answer_cannot_be_graded():
    with pytest.raises(ValueError, match="no gold answer"):
        list(FinalAnswerGrader().grade([(Problem("p", "?"), Sample("p", 0, "#### 1"))], None))


def test_nothing_is_run():
    assert FinalAnswerGrader().runs_code is False
