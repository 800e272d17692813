"""One theorem of a text in Lean 4, found among its tokens."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.datasets.formal.statement import Statement, Unreadable

_WORD = re.compile(r"(?:[^\W\d]|«[^»]*»)(?:[\w'!?.₀-₉]|«[^»]*»)*")


class Token(NamedTuple):
    """A word, `:=`, or another character, and where it begins and ends."""

    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, without whitespace, strings and comments (`--` to the end of the line, `/- -/` nested).

    Raises:
        Unreadable: a string or a comment does not end.
    """
    at = 0
    while at < len(text):
        if (after := _skipped(text, at)) is not None:
            at = after
        elif match := _WORD.match(text, at):
            yield Token(match[0], at, match.end())
            at = match.end()
        else:
            end = at + 2 if text.startswith(":=", at) else at + 1
            if not text[at].isspace():
                yield Token(text[at:end], at, end)
            at = end


def statement(header: str, text: str) -> Statement:
    """The theorem of a text that ends in `:=`, `:= by`, `:= sorry` or `:= by sorry`. What stands before it in the text
    belongs to the header.

    Raises:
        Unreadable: the text has another form.
    """
    found = list(tokens(text))
    places = [number for number, token in enumerate(found) if token.text in ("theorem", "lemma")]
    if len(places) != 1:
        raise Unreadable(f"has {len(places)} theorems, not one")
    start = places[0]
    for ending in ("sorry", "by"):
        if found[-1].text == ending:
            found.pop()
    if found[-1].text != ":=" or len(found) < start + 4:
        raise Unreadable("does not end in `:=`, `:= by` or `:= by sorry`")
    name, begin = found[start + 1].text, found[start].start
    before = "\n\n".join(part for part in (header.strip(), text[:begin].strip()) if part)
    return Statement(before, f"{text[begin : found[-1].end]} by", name, found[start + 1].start - begin)


def _skipped(text: str, at: int) -> int | None:
    """The end of the string or comment that begins here; None where none does."""
    if text.startswith("--", at):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    if text[at] == '"':
        closing = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL).match(text, at)
        if closing is None:
            raise Unreadable("a string does not end")
        return closing.end()
    if not text.startswith("/-", at):
        return None
    depth, at = 1, at + 2
    while depth:
        if at >= len(text):
            raise Unreadable("a comment does not end")
        if text.startswith("/-", at) or text.startswith("-/", at):
            depth += 1 if text[at] == "/" else -1
            at += 2
        else:
            at += 1
    return at
