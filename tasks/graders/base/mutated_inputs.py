"""Inputs for programs, made from those of a problem's tests by small changes.

Integers are moved by up to a quarter or drawn from the range of their line, and characters of words are swapped or
replaced (as in AlphaCode: Li et al. 2022, arXiv 2203.07814, section 3.2). A number that says how much follows it,
such as the length of a list, stays as it is. Inputs that were made are changed further. Nothing else is known of the
format: some inputs may break a problem's constraints.

An input depends on the problem and its tests alone. `Random.random` keeps its sequence on every version of Python.
"""

import random
import re
from collections.abc import Sequence

MAX_CHARACTERS = 20_000
"""Longer inputs are not changed, unless all are longer."""
_ATTEMPTS = 20
"""Attempts for each input that is wanted: changing an input may give one that there is already."""

_TOKEN = re.compile(r"\S+")
_INTEGER = re.compile(r"[+-]?\d{1,18}")


def mutated_inputs(seed: str, templates: Sequence[str], count: int, *, known: bool) -> tuple[str, ...]:
    """Up to `count` different inputs in the format of the templates; at least one if there is a template.

    Args:
        seed: what the random choices depend on, such as the problem's id.
        templates: inputs of tests.
        count: how many are wanted.
        known: the templates may be used as they are, and come first. Otherwise they are only if nothing in them can
            be changed.
    """
    found = dict.fromkeys(templates if known else ())
    sources = [each for each in templates if len(each) <= MAX_CHARACTERS] or sorted(templates, key=len)[:1]
    chance = random.Random(seed)  # noqa: S311
    for attempt in range(_ATTEMPTS * count if sources else 0):
        if len(found) >= count:
            break
        changed = _changed(sources[attempt % len(sources)], chance)
        if changed not in found and changed not in templates:
            found[changed] = None
            sources.append(changed)
    return tuple(found or dict.fromkeys(templates))[:count]


def _changed(text: str, chance: random.Random) -> str:
    """The input with some of its tokens changed: about a third of them at most, at least one if one can be."""
    tokens = [_TOKEN.findall(line) for line in text.split("\n")]
    free = [
        (line, at)
        for (line, found), (after, sizes) in zip(enumerate(tokens), _what_follows(tokens), strict=True)
        for at in range(len(found))
        if not _says_how_much(found, at, after, sizes, alone=line == 0 and len(found) == 1)
    ]
    if not free:
        return text
    for _ in range(1 + _below(chance, max(1, len(free) // 3))):
        line, at = free[_below(chance, len(free))]
        token = tokens[line][at]
        change = _integer if _INTEGER.fullmatch(token) else _word
        tokens[line][at] = change(token, tokens[line], chance)
    following = iter(token for found in tokens for token in found)
    return _TOKEN.sub(lambda _: next(following), text)


def _what_follows(tokens: Sequence[Sequence[str]]) -> list[tuple[int, frozenset[int]]]:
    """For each line, the number of lines that follow and are not empty, and the sizes that a number on it may give:
    this number, and those of the tokens and characters on the next line."""
    found: list[tuple[int, frozenset[int]]] = []
    after, next_sizes = 0, frozenset[int]()
    for line in reversed(tokens):
        found.append((after, (next_sizes | {after}) - {0, 1}))
        if line:
            after, next_sizes = after + 1, frozenset({len(line), *map(len, line)})
    return found[::-1]


def _says_how_much(line: Sequence[str], at: int, after: int, sizes: frozenset[int], *, alone: bool) -> bool:
    """Whether a token is the number of lines that follow, of equal groups of them (test cases), or of tokens or
    characters on its line or the next."""
    token = line[at]
    if not _INTEGER.fullmatch(token):
        return False
    value, on_line = int(token), len(line) - at - 1
    if value in sizes or (value == on_line and on_line > 1):
        return True
    if any(value == len(word) and not _INTEGER.fullmatch(word) for word in line[at + 1 : at + 2]):
        return True
    return alone and value > 0 and after > 0 and after % value == 0


def _integer(token: str, line: Sequence[str], chance: random.Random) -> str:
    value, others = int(token), [int(each) for each in line if _INTEGER.fullmatch(each)]
    # A number that is not negative, or not 0, may have to be so.
    least = min(value, 1 if value > 0 else 0 if value == 0 else value - 1)
    if _below(chance, 2):
        step = 1 + _below(chance, abs(value) // 4 + 1)
        drawn = value + (step if _below(chance, 2) else -step)
    else:
        drawn = min(others) + _below(chance, max(others) - min(others) + 1)
    return str(max(drawn, least))


def _word(token: str, line: Sequence[str], chance: random.Random) -> str:
    characters, letters = list(token), "".join(line)
    one, other = _below(chance, len(characters)), _below(chance, len(characters))
    if _below(chance, 2):
        characters[one], characters[other] = characters[other], characters[one]
    else:
        characters[one] = letters[_below(chance, len(letters))]
    return "".join(characters)


def _below(chance: random.Random, bound: int) -> int:
    """A whole number from 0 to `bound` - 1."""
    return int(chance.random() * bound)
