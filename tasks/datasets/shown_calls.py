"""Calls of a function that a prompt shows, as examples of what it has to do: `f(1, [2])`, and often what they return.

Only calls whose arguments are literals count, and only results that are.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.graders.base.literal_calls import is_literal, is_literal_call

_RESULT = re.compile(r"\s*(?:==>|==|=>|->|➞|=|should return|returns?)\s*:?\s*(\S.*)")
_PROMPT = re.compile(r"\s*>>>\s*(?:print\()?$")


class ShownCall(NamedTuple):
    """A call, as a Python expression, and what it returns, as a literal; None where that is not shown."""

    call: str
    result: str | None


def shown_calls(prompt: str, function: str) -> tuple[ShownCall, ...]:
    """The different calls of a function in a prompt, in order: in doctests (`>>> f(1)`, with the result on the next
    line), and in prose such as `f(1) == 2`, `f(1) ➞ 2` or `f(1) returns 2`."""
    found: dict[str, str | None] = {}
    lines = prompt.splitlines()
    for number, line in enumerate(lines):
        for begin in re.finditer(rf"(?<![\w.]){re.escape(function)}\(", line):
            if line[: begin.start()].rstrip().endswith("def"):
                continue
            call, rest = _call(line[begin.start() :], function)
            if call is None:
                continue
            after = lines[number + 1] if number + 1 < len(lines) else ""
            doctest = _PROMPT.fullmatch(line[: begin.start()]) is not None and not rest.strip(" )")
            result = _literal(after) if doctest else _stated(rest)
            found[call] = found.get(call) or result
    return tuple(ShownCall(*each) for each in found.items())


def as_function_test(calls: Iterable[ShownCall], function: str) -> str:
    """A function test that compares the shown results; all functions pass it where there are none."""
    lines = [
        f"    assert candidate({each.call[len(function) + 1 :]} == {each.result}"
        for each in calls
        if each.result is not None
    ]
    return "\n".join(["def check(candidate):", *(lines or ["    pass"]), ""])


def _call(text: str, function: str) -> tuple[str | None, str]:
    """The call at the start of a text, and what follows it."""
    for end in _ends(text):
        try:
            node = ast.parse(text[:end], mode="eval").body
        except (SyntaxError, ValueError):
            continue
        return (ast.unparse(node), text[end:]) if is_literal_call(node, {function}) else (None, "")
    return None, ""


def _ends(text: str) -> Iterator[int]:
    return (found.end() for found in re.finditer(r"\)", text))


def _stated(rest: str) -> str | None:
    """The result that follows a call on its line."""
    stated = _RESULT.match(rest)
    return None if stated is None else _literal(stated[1])


def _literal(text: str) -> str | None:
    text = text.partition("#")[0].strip() or text.strip()
    return next((each for each in (text.rstrip(" .;,"), text) if each and is_literal(each)), None)
