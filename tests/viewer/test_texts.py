from html import unescape
from re import sub

from tasks.report.phrases import visible
from tasks.viewer import texts
from tasks.viewer.marked_up import aligned_lines, marked_up


def test_text_around_code_is_escaped_and_nothing_is_lost():

    for text in (
        "a < b\n```python\nx = '<b>'\n```\nafter & more",
        "```\nno end",
        "plain",
        "print('<i>')\n",
        "```html\n<script>\n```",
    ):
        assert unescape(sub(r"</?span[^>]*>", "", marked_up(text))) == text


def test_equal_lines_stand_in_one_row():
    rows = aligned_lines("a\nb\nc", "a\nx\ny\nc")
    assert rows == [("equal", "a", "a"), ("replace", "b", "x"), ("insert", None, "y"), ("equal", "c", "c")]


def test_texts_that_take_too_long_to_align_are_paired_by_number():
    left = "\n".join(f"{i % 7} {i % 11} {i}" for i in range(9_000))
    right = "\n".join(f"{i % 5} {i % 13} {i * 7 % 9_001}" for i in range(9_000))
    many = "\n".join("ab"[i % 2] for i in range(90_000))
    for a, b in ((left, right), (many, many[1:] + "x")):
        found = texts.aligned_texts(a, b)
        assert [row[1] for row in found.rows if row[1] is not None] == visible(a).splitlines()


def test_a_text_that_takes_too_long_to_colour_is_shown_plain(monkeypatch):
    monkeypatch.setattr(texts, "_MAX_MARKED_UP", 10**7)
    deep = "```python\n" + "(" * 400_000 + "\n```"
    (shown,) = texts.shown_texts([deep], whole=True)
    assert "(" * 100 in str(shown.html).replace("</span>", "").replace('<span class="t-p">', "")


def test_the_texts_of_a_page_are_coloured_until_they_take_too_long_together():
    """A conversation may have hundreds of turns, of which each can be made to take as long as one may."""
    code = "```python\nx = 1\n```"
    slow = "```" + " " * 80_000
    first, hostile, second = texts.shown_texts([code, slow, code])
    assert "<span" in first.html
    assert hostile.html == slow
    assert second.html == code
    large = "```python\n" + "x = 1\n" * 10_000 + "```"
    coloured = ["<span" in each.html for each in texts.shown_texts([large, large, code])]
    assert coloured == [True, False, True]


def test_the_texts_of_a_page_are_cut_where_they_are_long_together():
    many = ["x" * 90_000] * 4
    assert [each.hidden for each in texts.shown_texts(many)] == [0, 0, 70_000, 90_000]
    assert [each.hidden for each in texts.shown_texts(many, whole=True)] == [0] * 4
