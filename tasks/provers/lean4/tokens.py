"""Lean 4 source as tokens: words, literals and symbols, without whitespace and comments.

Lean reads the longest token that its grammar has at that place, and libraries extend the grammar. A reader that does
not know the library can still tell where strings, comments and quoted names begin and end, if it refuses the few
texts where Lean could see another boundary: see `tokens` with `strict`. Words are cut at least as often as Lean cuts
them, so that no keyword is overlooked.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_PART = r"(?:[^\W\d][\w'!?]*|«[^«»\n]*»)"
_WORD = re.compile(rf"{_PART}(?:\.{_PART})*")
_ASCII_WORD = re.compile(r"[A-Za-z_][\w'!?]*(?:\.[A-Za-z_][\w'!?]*)*", re.ASCII)
_NUMERAL = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+", re.ASCII)
_QUOTED = re.compile(r"«[^«»\n]*»")
_PLAIN_NAME = re.compile(r"«[\w ]+»")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_RAW_STRING = re.compile(r'r(#*)"')
_CHARACTER = re.compile(r"'(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^'\\])'", re.DOTALL)
_PLAIN_CHARACTER = re.compile(r"'[A-Za-z0-9]'", re.ASCII)
_AMBIGUOUS_CHARACTER = re.compile(r"'(?:\\|[^A-Za-z0-9]')", re.ASCII)
_COMMENT_EDGE = re.compile(r"/-|-/")
_NOT_BREAK = re.compile(r"[^\n]")
_SPACES = re.compile(r"[ \t\r\n]+")
_SYMBOL = re.compile(r":=|@\[|=>|<;>|.", re.DOTALL)


class Token(NamedTuple):
    """A token, and where it begins and ends in the text, in characters. `kind` is `word`, `quoted` (a name in « »),
    `numeral`, `string`, `character`, `doc` (a documentation comment) or `symbol`."""

    kind: str
    text: str
    start: int
    end: int


class NotTokensError(ValueError):
    """A text that is not read to its end; the message says why, in a few words."""


def tokens(text: str, *, strict: bool = False) -> Iterator[Token]:
    """The tokens of a text, in time linear in its length. Documentation comments are tokens, as they are for Lean.

    Args:
        text: source text.
        strict: refuse what Lean could cut elsewhere than here: strings with escapes, braces (interpolation) or line
            breaks, raw strings, literals of characters that are not letters or digits, unusual names in « », and tabs.
            Every character outside ASCII is a token, and so is every name in « ».

    Raises:
        NotTokensError: a string, a quoted name or a comment does not end, or `strict` refuses it.
    """
    at = 0
    while at < len(text):
        if (space := _SPACES.match(text, at)) is not None:
            if strict and ("\t" in space[0] or "\r" in space[0]):
                raise NotTokensError("a tab or a carriage return, which Lean does not accept")
            at = space.end()
        elif text.startswith("--", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("/-", at):
            end = _comment_end(text, at)
            if text.startswith(("/--", "/-!"), at):
                yield Token("doc", text[at:end], at, end)
            at = end
        else:
            token = _token(text, at, strict)
            yield token
            at = token.end


def without_comments(text: str, found: Iterable[Token]) -> str:
    """The text with a space for every character that is in none of its tokens; line breaks stay. Without comments,
    nothing moves to another line or column."""
    parts: list[str] = []
    last = 0
    for token in found:
        parts += [_blank(text[last : token.start]), token.text]
        last = token.end
    return "".join((*parts, _blank(text[last:])))


def _blank(between: str) -> str:
    return between if between == " " else _NOT_BREAK.sub(" ", between)


def _comment_end(text: str, at: int) -> int:
    """The end of the comment that begins here; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/-" else -1
        if depth == 0:
            return edge.end()
    raise NotTokensError("a comment does not end")


def _token(text: str, at: int, strict: bool) -> Token:
    character = text[at]
    if character == '"':
        found = _matched("string", _STRING.match(text, at), "a string does not end")
        if strict and any(each in found.text for each in "\\{}\n"):
            raise NotTokensError("a string with an escape, a brace or a line break")
        return found
    if character == "'":
        return _quote(text, at, strict)
    if (raw := _RAW_STRING.match(text, at)) is not None:
        return _raw_string(text, raw, strict)
    if character == "«" and (strict or not _QUOTED.match(text, at)):
        found = _matched("quoted", _QUOTED.match(text, at), "a name in « » does not end")
        if not _PLAIN_NAME.fullmatch(found.text):
            raise NotTokensError("a name in « » with more than letters, digits and spaces")
        return found
    for kind, pattern in (("word", _ASCII_WORD if strict else _WORD), ("numeral", _NUMERAL), ("symbol", _SYMBOL)):
        if (match := pattern.match(text, at)) is not None:
            return _matched(kind, match, "")
    raise AssertionError("every character begins a token")


def _quote(text: str, at: int, strict: bool) -> Token:
    """A literal of a character, or a `'` that stands for itself."""
    if strict and _AMBIGUOUS_CHARACTER.match(text, at):
        raise NotTokensError("a literal of a character that is not a letter or a digit")
    match = (_PLAIN_CHARACTER if strict else _CHARACTER).match(text, at)
    return Token("symbol", "'", at, at + 1) if match is None else _matched("character", match, "")


def _raw_string(text: str, opening: re.Match[str], strict: bool) -> Token:
    if strict:
        raise NotTokensError("a raw string")
    closing = f'"{opening[1]}'
    end = text.find(closing, opening.end())
    if end < 0:
        raise NotTokensError("a string does not end")
    end += len(closing)
    return Token("string", text[opening.start() : end], opening.start(), end)


def _matched(kind: str, match: re.Match[str] | None, fault: str) -> Token:
    if match is None:
        raise NotTokensError(fault)
    return Token(kind, match[0], match.start(), match.end())
