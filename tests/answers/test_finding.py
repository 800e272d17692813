"""Where a sample gives its answer."""

import pytest

from tasks.answers.finding import boxed, find, hashed


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{7} it is", "7"),
        (r"\boxed{1}, no: \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\fbox{a{b}c}", "a{b}c"),
        (r"\boxed {7}", "7"),
        (r"in JSON, \\boxed{7}", "7"),
        (r"$\boxed 5$", "5"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),
        (r"\boxed{\boxed{7}}", r"\boxed{7}"),
        (r"So \boxed{9}. (Answer given in \boxed{} as asked.)", "9"),
        (r"So \boxed{9}. (Answer given in \boxed as asked.)", "9"),
        (r"So \boxed{9}, as \boxed{\text{your answer}} asks.", "9"),
        (r"So \boxed{9}; the form was \boxed{...}.", "9"),
        (r"The answer is: $7$, as was asked", "7"),
        (r"The answer is $\$40$.", r"\$40"),
        ("The answer is $40 and not $50.", "$40 and not $50."),
        ("The answer is therefore $12$.", "12"),
        ("The answer is 12. This is because 3 times 4 is 12.", "12"),
        ("The answer is 12, because 3 times 4 is 12.", "12"),
        ("The answer is 3.5", "3.5"),
        ("**Answer**: 12", "12"),
        ("**Answer:** 12", "12"),
        ("**Final Answer**\n\n12\nThanks.", "12"),
        ("### Final Answer\n$12$", "12"),
        ("The answer is\n\\[\n12\n\\]\nas was asked.", "\n12\n"),
        ("The answer is\n\n$$\n12\n$$", "\n12\n"),
        ("<answer>8</answer>", "8"),
        (r"<answer>it is \boxed{8}</answer>", "8"),
        ("<answer>7</answer> no: <answer>8</answer> <answer></answer>", "8"),
        ("<answer> 8", "8"),
        ("#### 7", "7"),
        ("#### Step 1: add 3\n#### 2. Check\n#### 7\n#### 8", "7"),
        ("#### Evelyn", "Evelyn"),
        ("the final answer is 4.\nI hope it is correct", "4"),
    ],
)
def test_an_answer_is_found_where_it_is_given(text: str, answer: str) -> None:
    assert find(text) == answer


@pytest.mark.parametrize(
    "text",
    ["7", "", r"\boxed{}", r"\boxed{ }", r"\boxed{4", r"\boxed{3} and then \boxed{4", "<answer></answer>", "####"],
)
def test_a_text_without_a_finished_answer_has_none(text: str) -> None:
    assert find(text) is None


def test_minervas_words_come_before_tags_boxes_and_marks() -> None:
    texts = [
        "Final Answer: The final answer is $1$. I hope it is correct.",
        "<answer>2</answer>",
        r"\boxed{3}",
        "The answer is 4",
        "#### 5",
    ]
    for first in range(len(texts)):
        assert find("\n".join(reversed(texts[first:]))) in {str(first + 1), f"${first + 1}$"}


@pytest.mark.parametrize(
    ("text", "several", "answer"),
    [
        (r"$\boxed{3}$ and $\boxed{5}$", 2, "3, 5"),
        (r"$x = \boxed{3}$ or $x = \boxed{5}$.", 2, "3, 5"),
        (r"\[\boxed{3}\] and \[\boxed{5}\]", 2, "3, 5"),
        (r"If $r=1$, $b=\boxed{3}.$  If $r=-1$, then $b=\boxed{5}.$", 2, "3, 5"),
        (r"By the way, \boxed{1}. So $\boxed{3}$ and $\boxed{5}$", 2, "3, 5"),
        (r"$\boxed{3}$ and $\boxed{5}$", 1, "5"),
        (r"$\boxed{3}$ and $\boxed{5}$", 3, "5"),
        (r"$\boxed{3}$, then $\boxed{4}$, and at last $\boxed{5}$", 2, "5"),
        (r"\boxed{3, 5} is \boxed{3, 5}", 2, "3, 5"),
        (r"$\boxed{3}$ and $\boxed{5}$, that is, $\boxed{3}$ and $\boxed{5}$", 2, "3, 5"),
    ],
)
def test_as_many_boxes_as_the_gold_answer_has_parts_are_one_answer(text: str, several: int, answer: str) -> None:
    assert boxed(text, several) == answer


def test_headings_after_hashes_are_not_answers() -> None:
    text = "#### Step 1: Add 3\n#### 2. Check 4\n#### Final Answer:\n#### The sum of all\n#### 18. So it is\n#### x + 1"
    assert hashed(text) == ["18. So it is", "x + 1"]
    assert hashed("#### 1. Add\n#### 2. Multiply\n#### 3") == ["3"]
    assert hashed("####18\n#### $5\n####\n7") == ["18", "$5", "7"]


@pytest.mark.parametrize(
    "unit",
    [
        r"\boxed{",
        r"\boxed{1}",
        r"\boxed{}",
        "{",
        "}",
        "\\",
        "<answer>",
        "<answer></answer>",
        "answer is ",
        "Answer\n\n",
        "answer ",
        "#",
        "#### Step 1:\n",
        "#### : ",
        "$",
        " ",
        "\n",
        "*",
        "The final answer is ",
    ],
)
def test_finding_is_linear_in_the_length_of_the_text(unit: str) -> None:
    # A quadratic search of this takes minutes; the test's own timeout is the bound.
    text = unit * (400_000 // len(unit))
    find(text, several=3)
    hashed(text)
