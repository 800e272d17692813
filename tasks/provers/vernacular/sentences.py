"""Rocq's sentences: a text cut where Rocq's own lexer ends a sentence, in linear time.

A sentence ends at a period, or at three, before whitespace or the end of the text. Comments nest, and a string in a
comment hides what is in it. A quote in a string is doubled. Where a sentence begins, a run of `-`, `+` or `*` is a
bullet, and a brace opens or closes a subproof; both are sentences (Rocq reference manual, "Syntax conventions" and
"Bullets"). Comments become a space: what is compiled has none.
"""

import re

BLANK = " \t\r\n"
_PIECE = re.compile(r'\(\*|"|\.+|[-+*{}]|[ \t\r\n]+|[^\s(".+*{}-]+|.', re.DOTALL)
_IN_COMMENT = re.compile(r'\(\*|\*\)|"')
_STRING_END = re.compile(r'"(?:"|)')
_SELECTS = re.compile(r"(?:(?:\d+|\[\s*\w+\s*\])\s*:\s*)?", re.ASCII)
_MAX_SELECTOR = 20
"""Pieces up to a brace that may be a goal selector: more are not read again, so that time stays linear."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class NotSentencesError(ValueError):
    """A text that does not consist of whole sentences; the message says why."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order, each without comments and without whitespace around it.

    Raises:
        NotSentencesError: a comment, a string or the last sentence has no end, or a character cannot be in a file.
    """
    text = text.replace("\r\n", "\n")
    control = _CONTROL.search(text)
    if control is not None:
        raise NotSentencesError(f"character U+{ord(control[0]):04X} cannot be in a proof")
    found: list[str] = []
    pieces: list[str] = []
    place = 0
    while place < len(text):
        start = place
        piece, place = _piece(text, place)
        if piece == " " and pieces and pieces[-1].endswith(".") and text.startswith("(*", start):
            raise NotSentencesError("a comment stands right after a period, where Rocq reads none")
        if piece.isspace():
            pieces += [piece] if pieces else []
            continue
        if not pieces and piece in {"-", "+", "*"}:
            while place < len(text) and text[place] == piece:
                place += 1
            found.append(text[start:place])
            continue
        pieces.append(piece)
        if _ends(pieces, text[place : place + 1]):
            found.append("".join(pieces))
            pieces = []
    if pieces:
        raise NotSentencesError("the last sentence has no end")
    return found


def words(sentence: str) -> list[str]:
    """The words of a sentence between whitespace, the last one without its period."""
    return sentence.rstrip(".").split()


def skipped(text: str, place: int) -> int | None:
    """Where the string or comment ends that begins at `place`; None where none does.

    Raises:
        NotSentencesError: it has no end.
    """
    if text.startswith("(*", place):
        return _comment_end(text, place + 2)
    return _string_end(text, place + 1) if text.startswith('"', place) else None


def _piece(text: str, place: int) -> tuple[str, int]:
    """What begins at `place`, and where it ends: a comment (as a space), a string, whitespace, a run of periods, a
    bullet or brace, or anything else."""
    match = _PIECE.match(text, place)
    if match is None:
        raise NotSentencesError(f"nothing is known to begin at character {place}")
    if match[0] == "(*":
        return " ", _comment_end(text, match.end())
    if match[0] == '"':
        end = _string_end(text, match.end())
        return text[place:end], end
    return match[0], match.end()


def _ends(pieces: list[str], following: str) -> bool:
    """Whether the sentence of these pieces ends here, before the next character (empty at the end of the text)."""
    last = pieces[-1]
    if last in {".", "..."}:
        return not following or following in BLANK
    if last == "}":
        return len(pieces) == 1
    return last == "{" and len(pieces) <= _MAX_SELECTOR and _SELECTS.fullmatch("".join(pieces[:-1])) is not None


def _comment_end(text: str, place: int) -> int:
    """Where the comment ends that was opened before `place`."""
    depth = 1
    while depth:
        match = _IN_COMMENT.search(text, place)
        if match is None:
            raise NotSentencesError("a comment has no end")
        place = match.end()
        if match[0] == '"':
            place = _string_end(text, place)
        else:
            depth += 1 if match[0] == "(*" else -1
    return place


def _string_end(text: str, place: int) -> int:
    """Where the string ends whose opening quote is before `place`."""
    while True:
        match = _STRING_END.search(text, place)
        if match is None:
            raise NotSentencesError("a string has no end")
        place = match.end()
        if len(match[0]) == 1:
            return place
