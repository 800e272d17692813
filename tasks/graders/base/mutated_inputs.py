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
        for line, found in enumerate(tokens)
        for at in range(len(found))
        if not _says_how_much(tokens, line, at)
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


def _says_how_much(tokens: Sequence[Sequence[str]], line: int, at: int) -> bool:
    """Whether a token is the number of lines that follow, of equal groups of them (test cases), or of tokens or
    characters on its line or the next."""
    token = tokens[line][at]
    if not _INTEGER.fullmatch(token):
        return False
    following = [found for found in tokens[line + 1 :] if found]
    sizes = {len(following), len(tokens[line]) - at - 1} - {0, 1}
    if following:
        sizes |= {len(following[0]), *(len(each) for each in following[0])} - {1}
    sizes |= {len(word) for word in tokens[line][at + 1 : at + 2] if not _INTEGER.fullmatch(word)}
    value = int(token)
    cases = line == 0 and len(tokens[0]) == 1 and value > 0 and bool(following) and len(following) % value == 0
    return cases or value in sizes


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
