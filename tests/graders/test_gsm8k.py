"""GSM8K's answers: the paper's rule to the letter, and the many forms that the tolerant one takes."""

import pytest

from tasks.errors import UserError
from tasks.graders import Grader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

PAPER, TOLERANT = Gsm8kGrader(), Gsm8kTolerantGrader()


def graded(grader: Grader, text: str, answer: str = "1234") -> GradedSample:
    (graded,) = grader.grade([(Problem("p", "?", AnswerCheck(answer)), Sample("p", 3, text))], None)
    assert (graded.problem_id, graded.index) == ("p", 3)
    return graded


@pytest.mark.parametrize(
    ("text", "paper", "tolerant"),
    [
        ("1000 + 234 = 1234\n#### 1234", "correct", "correct"),
        ("#### 1,234", "correct", "correct"),
        ("#### $1,234.", "correct", "correct"),
        ("#### 1234\n\nQuestion: next\n#### 5", "correct", "correct"),
        ("#### 1234 apples", "correct", "correct"),
        ("#### 5\n#### 1234", "wrong", "wrong"),
        ("#### 1234.0", "wrong", "correct"),
        ("#### -1234", "wrong", "wrong"),
        ("#### $-1234", "wrong", "wrong"),
        ("####1234", "no_answer", "correct"),
        ("#### about 1234", "no_answer", "correct"),
        ("A: 1234", "no_answer", "correct"),
        ("**Answer:** 1234", "no_answer", "correct"),
        ("So the answer is $1,234.00.", "no_answer", "correct"),
        ("the answer is 1000 + 234 = 1234", "no_answer", "correct"),
        (r"we get \boxed{1{,}234}", "no_answer", "correct"),
        (r"\boxed{1,\!234}", "no_answer", "correct"),
        (r"\boxed{\dfrac{2468}2}", "no_answer", "wrong"),
        (r"\boxed{\dfrac{2468}{2}}", "no_answer", "correct"),
        ("#### 1 234", "wrong", "correct"),
        ("#### 1.234e3", "wrong", "correct"),
        ("#### 1233 3/3", "wrong", "correct"),
        ("#### −1234", "no_answer", "wrong"),
        ("#### 1000 + 234 = 1234", "wrong", "correct"),
        ("#### $1000 - 234 = $766 (of 1234)", "wrong", "wrong"),
        ("#### 1234 = 1000 + 234", "correct", "correct"),
        ("#### 1234 (where x = 234)", "correct", "correct"),
        ("The answer is 1234 (with x = 234).", "no_answer", "correct"),
        ("The answer is x = 1000 + 234 = 1234", "no_answer", "correct"),
        (r"\boxed{\$1,234} in all, of 9", "no_answer", "correct"),
        (r"\boxed{\frac{2468}{2}}", "no_answer", "correct"),
        ("it is 2468/2", "no_answer", "correct"),
        ("first 5, then 1234", "no_answer", "correct"),
        ("first 1234, then 5", "no_answer", "wrong"),
        ("#### Step 1: add 1000 and 234\nso\n#### 1234", "correct", "correct"),
        ("#### 1. Add 1000 and 234\nso\n#### 2. Done\n#### 1234", "wrong", "correct"),
        ("#### Step 1: add 1000 and 234\nThe answer is 1234.", "no_answer", "correct"),
        ("#### Solution\n1000 + 234 = 1234", "no_answer", "correct"),
        ("##### Final answer: 1234", "no_answer", "correct"),
        ("#### 1. So 1 it is", "wrong", "wrong"),
        ("#### 1\u202f234", "wrong", "correct"),
        ("#### 1\u00a0234", "wrong", "correct"),
        ("the answer is 1\u2009234", "no_answer", "correct"),
        ("#### 2 x 617 = 1234", "wrong", "correct"),
        (r"#### 2 \times 617 = 1234", "wrong", "correct"),
        ("#### 2 x 617 = 1235", "wrong", "wrong"),
        ("The answer is therefore 1234.", "no_answer", "correct"),
        ("**Answer**: 1234", "no_answer", "correct"),
        (r"\boxed{1234} (in \boxed{} as asked)", "no_answer", "correct"),
        ("none", "no_answer", "no_answer"),
        ("", "no_answer", "no_answer"),
    ],
)
def test_a_number_is_read_in_the_forms_of_the_paper_and_in_others(text: str, paper: str, tolerant: str) -> None:
    assert (graded(PAPER, text).verdict, graded(TOLERANT, text).verdict) == (paper, tolerant)


@pytest.mark.parametrize(
    ("answer", "said"), [("0.5", "1/2"), ("-3", "-3.00"), ("3/4", "0.75"), ("2.50", "$2.5"), ("-3", "−3")]
)
def test_values_are_compared_exactly(answer: str, said: str) -> None:
    assert graded(TOLERANT, f"#### {said}", answer).verdict is Verdict.CORRECT
    assert graded(TOLERANT, f"#### {said}1", answer).verdict is Verdict.WRONG


@pytest.mark.parametrize(
    "text",
    [
        "7" * 1_000_000,
        "#### " + "7" * 1_000_000,
        "1/0",
        "#### 5/0",
        "\ud7ff\0" * 1000,
        "answer is " * 10**5,
        "#### 9e999",
        "#### 1e99999",
        "#### " + "1 " * 10**5,
        "#### " + "1-" * 10**5,
    ],
)
@pytest.mark.parametrize("grader", [PAPER, TOLERANT], ids=["paper", "tolerant"])
def test_odd_samples_are_not_correct(grader: Grader, text: str) -> None:
    result = graded(grader, text)
    assert result.verdict in {Verdict.WRONG, Verdict.NO_ANSWER}
    assert len(result.detail) < 200


@pytest.mark.parametrize("answer", [None, " "])
def test_a_problem_without_an_answer_is_named_before_any_work(answer: str | None) -> None:
    check = None if answer is None else AnswerCheck(answer)
    problems = [Problem("good", "?", AnswerCheck("1")), Problem("bad", "?", check)]
    for grader in (PAPER, TOLERANT):
        with pytest.raises(UserError, match="cannot grade problem 'bad': it has no gold answer"):
            grader.check(problems)
        grader.check(problems[:1])
