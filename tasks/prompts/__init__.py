"""Prompt templates as data: `NAME.txt` beside this file, with `{question}` in place of the problem's text.

A template with `{shots}` shows worked examples there, each in the form of `NAME.shot.txt`, with `{question}` and
`{answer}`. The texts are used exactly as they are: a file that ends without a line break gives a prompt without one.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from tasks.errors import UserError
from tasks.records import FewShotExample, Problem

_FIELD = re.compile(r"\{(question|answer|shots)\}")


@cache
def template(name: str) -> str:
    """The text of a template, unchanged, followed by that of its examples if it has any.

    `name` is a bundled template, or the path of a file that ends in `.txt`.

    Raises:
        UserError: there is no such template or file, or it lacks `{question}`.
    """
    shown, shot = _texts(name)
    return shown if shot is None else f"{shown}\0{shot}"


def render(name: str, question: str, shots: Sequence[FewShotExample] = ()) -> str:
    """The prompt for one question. Only the fields are replaced: other braces are text."""
    shown, shot = _texts(name)
    if shots and shot is None:
        raise ValueError(f"the template {name} shows no examples")
    examples = "".join(_filled(shot or "", question=each.question, answer=each.answer) for each in shots)
    return _filled(shown, question=question, shots=examples)


def prompt(name: str, problem: Problem) -> str:
    """The prompt for one problem."""
    return render(name, problem.question, problem.shots)


def _filled(text: str, **values: str) -> str:
    """All fields are replaced in one pass, so a field's name inside a question stays."""
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), text)


@cache
def _texts(name: str) -> tuple[str, str | None]:
    if name.endswith(".txt"):
        try:
            # Editors on Windows write a byte order mark.
            shown = Path(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"dataset.template: {name} cannot be read ({getattr(error, 'strerror', None) or error}); give a text"
                " with {question}"
            ) from error
        if "{question}" not in shown:
            raise UserError(f"dataset.template: {name} has no {{question}}; every prompt would be the same")
        return shown, None
    folder = resources.files(__package__)
    bundled = sorted(file.name for file in folder.iterdir() if re.fullmatch(r"[a-z0-9_]+\.txt", file.name))
    if f"{name}.txt" not in bundled:
        known = ", ".join(each.removesuffix(".txt") for each in bundled)
        raise UserError(f"dataset.template: {name!r} is not one of {known}, nor a file that ends in .txt")
    shown = folder.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    shot = folder.joinpath(f"{name}.shot.txt").read_text(encoding="utf-8") if "{shots}" in shown else None
    return shown, shot
