"""The answer that graders of final answers keep with their verdict."""

import pytest

from tasks.graders import Grader
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.records import AnswerCheck, Problem, Sample, Verdict

MATH = "Final Answer: The final answer is $%s$. I hope it is correct."


@pytest.mark.parametrize(
    ("grader", "gold", "text", "verdict", "answer"),
    [
        (FinalAnswerGrader(), "72000", "so\n#### $72,000.", Verdict.CORRECT, "72000"),
        (FinalAnswerGrader(), "72000", "#### 7", Verdict.WRONG, "7"),
        (FinalAnswerGrader(), "72000", "7", Verdict.NO_ANSWER, None),
        (FinalAnswerGrader(), "1", "#### " + "1" * 1_000, Verdict.WRONG, "1" * 1_000),
        (FinalAnswerGrader(), "1", "#### " + "1" * 1_001, Verdict.WRONG, None),
        (Gsm8kGrader(), "18", "#### 18.0", Verdict.WRONG, "18.0"),
        (Gsm8kGrader(), "18", "#### $1,8.", Verdict.CORRECT, "18"),
        (Gsm8kGrader(), "18", "18", Verdict.NO_ANSWER, None),
        (Gsm8kTolerantGrader(), "18", "#### 36/2 dollars", Verdict.CORRECT, "18"),
        (Gsm8kTolerantGrader(), "18", "the answer is 17.50", Verdict.WRONG, "35/2"),
        (Gsm8kTolerantGrader(), "18", "none", Verdict.NO_ANSWER, None),
        (MathGrader(), r"\frac{1}{2}", MATH % r"\frac12", Verdict.CORRECT, r"\frac{1}{2}"),
        (MathGrader(), r"x+1", MATH % r"1+x", Verdict.CORRECT, "1+x"),
        (MathGrader(), "2.50", MATH % "2.5", Verdict.CORRECT, "2.5"),
        (MathGrader(), "2.50", MATH % "2.6", Verdict.WRONG, "2.6"),
        (MathTolerantGrader(), "3", r"so \boxed{3.0}", Verdict.CORRECT, "3.0"),
        (MathTolerantGrader(), "3", "I do not know", Verdict.NO_ANSWER, None),
        (MathVerifyGrader(), "3", r"so \boxed{3}", Verdict.CORRECT, "3"),
    ],
)
def test_graders_keep_the_answer_in_their_normal_form(
    grader: Grader, gold: str, text: str, verdict: Verdict, answer: str | None
):
    (graded,) = grader.grade([(Problem("p", "?", AnswerCheck(gold)), Sample("p", 0, text))], None)
    assert (graded.verdict, graded.answer) == (verdict, answer)


def test_answers_that_are_spelt_alike_are_equal():
    texts = [r"\boxed{\frac{1}{2}}", r"The answer is $\dfrac12$.", r"#### \frac12", r"\boxed{\frac{1}{3}}"]
    pairs = [(Problem("p", "?", AnswerCheck("1/2")), Sample("p", index, text)) for index, text in enumerate(texts)]
    answers = {each.index: each.answer for each in MathTolerantGrader().grade(pairs, None)}
    assert answers[0] == answers[1] == answers[2] != answers[3]
    assert None not in answers.values()
