"""`math_tolerant` on gold answers of every form: read wherever a sample gives them, and told from their neighbours.

`math_golds.txt` has gold answers as MATH's are written, one a line.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tasks.graders import Grader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.records import AnswerCheck, Problem, Sample, Verdict

pytest.importorskip("math_verify", reason="the math extra is not installed")

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "math" / "math500_first200.jsonl"
GOLDS = Path(__file__).with_name("math_golds.txt").read_text(encoding="utf-8").splitlines()
PLACES = (
    "Final Answer: The final answer is $@$. I hope it is correct.",
    r"Thus $x$ is $\boxed{@}$.",
    r"So \boxed{@}. (Answer given in \boxed{} as asked.)",
    "The answer is $@$.",
    "The answer is therefore $@$.",
    "The answer is\n\\[\n@\n\\]",
    "**Answer**: $@$",
    "### Final Answer\n\n$@$",
    "<answer>@</answer>",
    "#### Step 1: Add 3 and 4\nThat is 7.\n#### $@$",
)
TRUE_OTHERWISE = {r"\lfloor 7.5\rfloor"}
"""Golds that stay what they are when a digit of theirs changes."""


def accepted(grader: Grader, samples: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of some gold answers and samples that are correct."""
    pairs = [
        (Problem(str(at), "?", AnswerCheck(gold)), Sample(str(at), at, text)) for at, (gold, text) in enumerate(samples)
    ]
    right = {each.index for each in grader.grade(pairs, None) if each.verdict is Verdict.CORRECT}
    return [sample for at, sample in enumerate(samples) if at in right]


def with_other_digits(gold: str, raised_by: int) -> Iterator[str]:
    """An answer with one digit changed, from the first to the last."""
    for digit in re.finditer(r"\d", gold):
        yield f"{gold[: digit.start()]}{(int(digit[0]) + raised_by) % 10}{gold[digit.end() :]}"


def test_a_gold_answer_is_correct_in_every_place_where_samples_give_answers() -> None:
    samples = [(gold, place.replace("@", gold)) for gold in GOLDS for place in PLACES]
    assert sorted(set(samples) - set(accepted(MathTolerantGrader(), samples))) == []


@pytest.mark.parametrize("grader", [MathTolerantGrader(), MathVerifyGrader()], ids=lambda grader: grader.name)
def test_a_gold_answer_with_another_last_digit_is_not_correct(grader: Grader) -> None:
    golds = [gold for gold in GOLDS if gold not in TRUE_OTHERWISE]
    changed = [(gold, list(with_other_digits(gold, 1))[-1:]) for gold in golds]
    samples = [(gold, f"So \\boxed{{{last}}}.") for gold, digits in changed for last in digits]
    assert len(samples) > 150
    assert accepted(grader, samples) == []


@pytest.mark.slow
def test_a_gold_answer_with_any_other_digit_is_not_correct() -> None:
    golds = [gold for gold in GOLDS if gold not in TRUE_OTHERWISE]
    samples = [
        (gold, f"So \\boxed{{{other}}}.")
        for gold in golds
        for raised_by in (1, 5, 9)
        for other in with_other_digits(gold, raised_by)
    ]
    assert accepted(MathTolerantGrader(), samples) == []


@pytest.mark.skipif(not DATA.is_file(), reason=f"{DATA} is absent")
def test_a_published_gold_answer_with_another_last_digit_is_not_correct() -> None:
    golds = {json.loads(line)["answer"] for line in DATA.read_text(encoding="utf-8").splitlines()}
    samples = [
        (gold, f"\\boxed{{{other}}}") for gold in sorted(golds) for other in list(with_other_digits(gold, 1))[-1:]
    ]
    assert accepted(MathTolerantGrader(), samples) == []


RIGHT = [
    ("9", r"So \boxed{9}. (Answer given in \boxed{} as asked.)"),
    ("9", r"So \boxed{9}. (Answer given in \boxed as asked.)"),
    ("3, 5", r"so $\boxed{3}$ and $\boxed{5}$"),
    ("3, 5", r"$x=\boxed{3}$ or $x = \boxed{5}$."),
    (
        r"30^\circ, 45^\circ, 105^\circ",
        r"One is $\boxed{30^\circ}.$ Another, $\boxed{45^\circ}.$ Then $\boxed{105^\circ}$.",
    ),
    (r"3 \pm \sqrt{2}", r"$\boxed{3+\sqrt{2}}$ and $\boxed{3-\sqrt{2}}$"),
    ("40", r"The answer is $\$40$."),
    (r"\$40", r"The answer is $\$40$."),
    (r"\$40", "The answer is 40 dollars."),
    (r"\$32,\!348", r"The answer is $\$32,\!348$."),
    ("12", "The answer is:\n\\[\n12.\n\\]\nThanks"),
    ("x + 2", "The answer is $x+2$, as required."),
    ("42", "The answer is 42. This is because 6 times 7 is 42."),
    ("42", "The answer is 42, because 6*7=42."),
    ("5000", "The final answer is 5 000"),
    ("8", r"<answer>\boxed{8}</answer>"),
]
WRONG = [
    ("3, 5", r"$\boxed{3}$"),
    ("3, 5", r"$\boxed{3}$ and $\boxed{6}$"),
    ("3, 5", r"$\boxed{3}$, $\boxed{5}$ and $\boxed{7}$"),
    ("5", r"First I thought $\boxed{5}$, but it is $\boxed{6}$."),
    (r"(3, 5)", r"$\boxed{3}$ and $\boxed{5}$"),
    ("8", "<answer>8</answer> no, <answer>9</answer>"),
]


def test_right_answers_are_correct_and_wrong_ones_are_not_wherever_they_stand() -> None:
    assert accepted(MathTolerantGrader(), [*RIGHT, *WRONG]) == RIGHT
