"""What a model thought before it answered is not its answer."""

import pytest

from tasks.answers.thinking import without_thinking


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no tags", "no tags"),
        ("<think>7?</think>8", "8"),
        ("a <think>7?</think> b <think>9?</think> c", "a  b  c"),
        ("<think>7? <think> again </think>8", "8"),
        ("the prompt opened it</think>8", "8"),
        ("a</think>b</think>c", "bc"),
        ("<think>7?</think>8</think> and 9", "8 and 9"),
        ("<think>7, says a model that ran out of tokens", ""),
        ("8 <think>or 7", "8 "),
        ('print("<think>")', 'print("<think>")'),
        ("the tag `</think>` closes", "the tag `</think>` closes"),
        ("```<think>7?```</think>```8```", "``````8```"),
        ("", ""),
    ],
)
def test_thinking_is_left_out(text: str, answer: str) -> None:
    assert without_thinking(text) == answer


def test_tags_can_be_chosen() -> None:
    text = "[THINK]7? <think>[/THINK]8"
    assert without_thinking(text, ("[THINK]", "[/THINK]")) == "8"
    assert without_thinking(text, ()) == text
