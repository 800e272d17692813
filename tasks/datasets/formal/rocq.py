"""One theorem of a Rocq file, found by splitting the file into sentences.

A sentence ends in a dot before whitespace or the end of the file, outside of strings and of comments, which can
be nested (Rocq's reference manual, "Lexical conventions").
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.datasets.formal.statement import Statement, Unreadable
from tasks.provers.vernacular.sentences import NotSentencesError, skipped

KEYWORDS = ("Theorem", "Lemma", "Example", "Fact", "Corollary", "Proposition", "Remark")
_ENDINGS = ("Proof.", "Admitted.", "Abort.")
_WORD = re.compile(r"[^\W\d][\w']*")


class Sentence(NamedTuple):
    """A sentence, without the comments before it, and where it begins in the file."""

    text: str
    start: int


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a file.

    Raises:
        Unreadable: a string or a comment does not end, or the last sentence has no dot.
    """
    start: int | None = None
    at = 0
    while at < len(text):
        after = _skipped(text, at)
        if after is None:
            if start is None and not text[at].isspace():
                start = at
            if text[at] == "." and not text[at + 1 : at + 2].strip() and not text.endswith("..", 0, at + 1):
                yield Sentence(text[start : at + 1], start or 0)
                start = None
            at += 1
        else:
            if start is None and text[at] == '"':
                start = at
            at = after
    if start is not None:
        raise Unreadable("the last sentence has no final dot")


def statement(text: str) -> Statement:
    """The theorem of a file that ends before its proof, or in `Proof.` and `Admitted.`

    Raises:
        Unreadable: the file has another form.
    """
    found = list(sentences(text))
    while found and found[-1].text in _ENDINGS:
        found.pop()
    if not found:
        raise Unreadable("has no theorem")
    last = found[-1]
    words = list(_words(last.text))
    keyword = words[0] if words else None
    if keyword is None or keyword[0] not in KEYWORDS or len(words) < 2:
        raise Unreadable(f"does not end in a theorem, but in {last.text[:60]!r}")
    for each in found[:-1]:
        first = next(_words(each.text), None)
        if first is not None and first[0] in (*KEYWORDS, "Axiom", "Parameter", "Hypothesis", "Admitted"):
            raise Unreadable(f"has more than one statement: {each.text[:60]!r}")
    name, at = words[1]
    return Statement(text[: last.start].strip(), last.text, name, at)


def _words(text: str) -> Iterator[tuple[str, int]]:
    """The identifiers outside of strings and comments, with their places."""
    at = 0
    while at < len(text):
        after = _skipped(text, at)
        if after is None and (match := _WORD.match(text, at)):
            yield match[0], at
            after = match.end()
        at = at + 1 if after is None else after


def _skipped(text: str, at: int) -> int | None:
    """The end of the string or comment that begins here; None where none does."""
    try:
        return skipped(text, at)
    except NotSentencesError as error:
        kind = "string" if text[at] == '"' else "comment"
        raise Unreadable(f"a {kind} does not end") from error
