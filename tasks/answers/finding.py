r"""Where a sample gives its final answer.

Everything here is linear in the length of the text, which a model wrote.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from tasks.answers.minerva_math import final_answer

_OPENING, _CLOSING = "final answer is", "i hope it is correct"

_BRACE_OR_BOX = re.compile(r"\\{1,2}(?P<box>boxed|fbox)[ \t]*\{|\\.|[{}]", re.DOTALL)
_BARE_BOX = re.compile(r"\\boxed[ ]([^$\n{}]{1,200})\$")
# What stands in a box that only says where the answer should go.
_PLACEHOLDER = re.compile(
    r"[\s.$]*|\\[lc]?dots|(?:\\text(?:bf)?\s*\{\s*)?[<\[]?(?:(?:your|the|final) )*(?:answer|ans)[>\]]?(?:\s*\})?",
    re.IGNORECASE,
)
# Between two boxes that hold the parts of one answer: signs, "and", "or", and names such as "x =".
_JOIN = re.compile(
    r"(?:[\s$.,;&]|\\[\[\]()]|\\(?:quad|qquad|text\{|mbox\{|,|;| )|\}|\band\b|\bor\b|[a-zA-Z](?:_\{?\w\}?)?\s?=)*"
)
_MAX_JOIN = 60

_SAID = re.compile(
    r"\banswer[*_]{0,3}[ \t]*(?:is\b|was\b|:|=)"
    r"(?:[ \t]*(?:therefore|thus|then|hence|so|simply|just|indeed|clearly)\b,?)?[:*_\s]*",
    re.IGNORECASE,
)
_HEADED = re.compile(
    r"^[#*_ \t]*(?:the[ \t]+)?(?:final[ \t]+)?answer[*_ \t]*:?[*_ \t]*\n\s*", re.IGNORECASE | re.MULTILINE
)
_DISPLAY = re.compile(r"(\$\$|\\\[)(.{1,2000}?)(?:\$\$|\\\])", re.DOTALL)
# "$40 and not $50" has no formula between its dollar signs.
_INLINE = re.compile(r"\$(?!\d[\d.,]*\s+[a-z]{2,}\s)((?:\\.|[^$\\\n])+)\$|\\\(([^\n]+?)\\\)")
_SENTENCE_END = re.compile(r"\.(?=\s+[A-Z])|,?\s(?=(?:because|since|which|where|as) )")

# The number of characters in which a heading is told from an answer.
_LONGEST_HEADING = 200
_HASHES = re.compile(r"#{4,6}\s*([^\n]*)")
_NUMBERED = re.compile(r"[*_]{0,3}(\d{1,2})[.)]\s+[*_]{0,3}[A-Za-z]")
_HEADING = re.compile(
    r"[*_]{0,3}(?:(?:step|part|case|solution|answer|final|conclusion|explanation|calculation)s?\b"
    r"|[A-Za-z]{3,}[^\n]*:[*_\s]*$|[A-Za-z]{3,}\s+[A-Za-z])",
    re.IGNORECASE,
)


class _Box(NamedTuple):
    start: int
    end: int
    content: str


def find(text: str, several: int = 1) -> str | None:
    r"""The final answer of a sample, from the first of these places that has one: Minerva's words around it,
    `<answer>...</answer>`, the last `\boxed{}` that is not empty, what follows the last "answer is" or "Answer:" (in
    running text, in a display, or below a heading), the first `####` that is not a heading. None if there is none.

    `several` is the number of parts that the gold answer has: as many boxes, with one part in each, are one answer.
    """
    looks: tuple[Callable[[str], str | None], ...]
    looks = (final_answer, _closed, _tagged, lambda text: boxed(text, several), _said, _hashed)
    return next((found for look in looks if (found := look(text)) is not None and found.strip()), None)


def _closed(text: str) -> str | None:
    """What stands between Minerva's words where they are written otherwise, or on several lines."""
    lower = text.lower()
    start = lower.find(_OPENING)
    end = lower.find(_CLOSING, start) if start >= 0 else -1
    # Some letters change their number when they are lowered: then the places are not the text's.
    if end < 0 or len(lower) != len(text):
        return None
    return text[start + len(_OPENING) : end].strip().removeprefix(":").removesuffix(".").strip()


def _tagged(text: str) -> str | None:
    """The contents of the last `<answer>`; the end of the text closes it, too, since it is a usual stop string."""
    end = len(text)
    while (start := text.rfind("<answer>", 0, end)) >= 0:
        inside = text[start + len("<answer>") : end].partition("</answer>")[0].strip()
        if inside:
            return boxed(inside) or inside
        end = start
    return None


def boxed(text: str, several: int = 1) -> str | None:
    r"""The contents of the last `\boxed{}` or `\fbox{}` that is neither empty nor a placeholder.

    Where the gold answer has `several` parts and the text as many boxes (or its last boxes stand together), their
    contents are joined with commas. None where the text has no box, or ends within one.
    """
    boxes, unfinished = _boxes(text)
    boxes = [box for box in boxes if not _PLACEHOLDER.fullmatch(box.content.strip())]
    if unfinished:
        return None
    if not boxes:
        bare = [match[1] for match in _BARE_BOX.finditer(text)]
        return bare[-1].strip() if bare else None
    if several > 1:
        together = _together(text, boxes, several)
        for group in (together, boxes):
            contents = list(dict.fromkeys(box.content.strip() for box in group))
            if len(contents) == several:
                return ", ".join(contents)
    return boxes[-1].content


def _boxes(text: str) -> tuple[list[_Box], bool]:
    """The outermost complete boxes of a text in order, and whether the text ends within one that has some content."""
    closed: list[tuple[_Box, int]] = []
    # Of each open brace: where its contents begin, whether it opened a box and where, and which box encloses it.
    open_braces: list[tuple[int, int | None, int]] = []
    enclosing = -1
    for match in _BRACE_OR_BOX.finditer(text):
        if match["box"] is not None:
            open_braces.append((match.end(), match.start(), enclosing))
            enclosing = match.start()
        elif match[0] == "{":
            open_braces.append((match.end(), None, enclosing))
        elif match[0] == "}" and open_braces:
            inside, start, enclosing = open_braces.pop()
            if start is not None:
                closed.append((_Box(start, match.end(), text[inside : match.start()]), enclosing))
    # A box that is never closed encloses nothing.
    never_closed = {start: inside for inside, start, _ in open_braces if start is not None}
    boxes = [box for box, outer in closed if outer == -1 or outer in never_closed]
    last = max(never_closed.values(), default=None)
    ended = boxes[-1].end if boxes else 0
    return boxes, last is not None and last > ended and bool(text[last:].strip())


def _together(text: str, boxes: list[_Box], several: int) -> list[_Box]:
    """The last box, and those before it that only signs, "and", "or" and names separate from it."""
    group = [boxes[-1]]
    for box in boxes[-2::-1]:
        between = text[box.end : group[-1].start]
        if len(group) > several or len(between) > _MAX_JOIN or not _JOIN.fullmatch(between):
            break
        group.append(box)
    return group[::-1]


def _said(text: str) -> str | None:
    """What follows the last "answer is", or the heading "Answer": the formula that it begins with, or its line."""
    places = [match.end() for pattern in (_SAID, _HEADED) for match in pattern.finditer(text)]
    if not places:
        return None
    rest = text[max(places) :]
    display, inline = _DISPLAY.match(rest), _INLINE.match(rest)
    if display is not None:
        return display[2]
    if inline is not None:
        return inline[1] or inline[2]
    return _SENTENCE_END.split(rest.partition("\n")[0], maxsplit=1)[0]


def hashed(text: str) -> list[str]:
    """What follows each `####` on its line, without headings such as "Step 2: add" or, as the third, "3. Check"."""
    found, headings, numbered = [], 0, 0
    for match in _HASHES.finditer(text):
        start = match[1][:_LONGEST_HEADING]
        number = _NUMBERED.match(start)
        is_next = number is not None and int(number[1]) in {numbered + 1, headings + 1}
        if is_next or _HEADING.match(start):
            headings += 1
            numbered += is_next
        else:
            found.append(match[1])
    return found


def _hashed(text: str) -> str | None:
    """What follows the first `####` that is not a heading, or else the last."""
    found = hashed(text) or [match[1] for match in _HASHES.finditer(text)][-1:]
    return next((rest for rest in found if rest.strip()), None)
