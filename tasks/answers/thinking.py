"""What a reasoning model wrote before its answer: found by its tags, and left out."""

import re
from functools import lru_cache

THINK = ("<think>", "</think>")
"""The tags of DeepSeek-R1, Qwen3 and most open reasoning models."""


def without_thinking(text: str, tags: tuple[str, ...] = THINK) -> str:
    """A sample's text without what stands between an opening and a closing tag.

    A closing tag without an opening one ends thinking that the prompt opened, as chat templates do. An opening tag
    without a closing one begins thinking that the sample never ended: nothing after it is an answer. A tag in quotes
    or backticks is part of the text. Takes time linear in the length of the text.

    Args:
        text: what the model wrote.
        tags: the opening and the closing tag; empty: all of the text is the answer.
    """
    for tag in tags:
        # Most texts do not even have a tag's first character, which is found many times as fast as the whole tag.
        if tag[0] in text and tag in text:
            break
    else:
        return text
    opening, _ = tags
    outside: list[str] = []
    thinking, opened, start = False, False, 0
    for match in _tags(*tags).finditer(text):
        if match[1]:
            continue
        if match[0] == opening:
            if not thinking:
                outside.append(text[start : match.start()])
            thinking = opened = True
        else:
            if not opened:
                outside.clear()
                opened = True
            elif not thinking:
                outside.append(text[start : match.start()])
            thinking, start = False, match.end()
    if not thinking:
        outside.append(text[start:])
    return "".join(outside)


@lru_cache(maxsize=16)
def _tags(opening: str, closing: str) -> re.Pattern[str]:
    tag = f"(?:{re.escape(opening)}|{re.escape(closing)})"
    return re.compile(rf"(?<![\"'`])([\"'`]){tag}\1(?!\1)|{tag}")
