"""Prompt templates as data: `NAME.txt` beside this file, with `{question}` where the problem's text goes."""

from functools import cache
from importlib import resources


@cache
def template(name: str) -> str:
    """The text of a template, as it lies on disk."""
    return resources.files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8")


def render(name: str, question: str) -> str:
    """The prompt for one problem. Only `{question}` is replaced: other braces are text."""
    return template(name).replace("{question}", question)
