"""Calls of a function, made from known ones by small changes of their arguments (as EvalPlus' mutations by type: Liu et
al. 2023, arXiv 2305.01210, section 2.2).

Numbers are moved, characters and elements are repeated, removed or exchanged; the types stay. Nothing else is known of
what arguments are valid. What is made depends on the seed and the known calls alone: `Random.random` keeps its sequence
on every version of Python, and the elements of sets are sorted.
"""

import ast
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tasks.graders.base.literal_calls import is_literal

MAX_CHARACTERS = 2_000
"""Longer calls are not changed."""
_ATTEMPTS = 20
"""Attempts for each call that is wanted: a change may give a call that there is already."""


class Arguments(NamedTuple):
    """Of one call, all literals."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def mutated_calls(seed: str, calls: Sequence[str], count: int, *, known: bool) -> tuple[str, ...]:
    """The arguments of up to `count` different calls, each as the text of a pair: of a tuple and a dict.

    Args:
        seed: what the random choices depend on, such as the problem's id.
        calls: Python expressions, each a call with literal arguments.
        count: how many are wanted.
        known: the calls may be made as they are, and come first. Otherwise they are not among those that are made.
    """
    # An infinite number is written as a name, not as a literal.
    templates = {_text(each): each for each in map(_arguments, calls) if is_literal(_text(each))}
    found = dict.fromkeys(templates if known else ())
    sources = [each for text, each in templates.items() if len(text) <= MAX_CHARACTERS]
    chance = random.Random(seed)  # noqa: S311
    for attempt in range(_ATTEMPTS * count if sources else 0):
        if len(found) >= count:
            break
        changed = _changed(sources[attempt % len(sources)], chance)
        text = _text(changed)
        if text not in found and text not in templates and is_literal(text):
            found[text] = None
            sources.append(changed)
    return tuple(found)[:count]


def _arguments(call: str) -> Arguments:
    node = ast.parse(call, mode="eval").body
    if not isinstance(node, ast.Call):
        raise TypeError(f"{call!r} is not a call")
    named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg is not None}
    return Arguments(tuple(map(ast.literal_eval, node.args)), named)


def _text(arguments: Arguments) -> str:
    return _literal((arguments.positional, arguments.named))


def _literal(value: Any) -> str:
    """As `repr`, but equal sets have one text: that of `repr` has an order that depends on the process (PYTHONHASHSEED)
    and on how the set was made."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, set | frozenset) and value:
        elements = f"{{{', '.join(sorted(map(_literal, value)))}}}"
        return elements if isinstance(value, set) else f"frozenset({elements})"
    return repr(value)


def _changed(arguments: Arguments, chance: random.Random) -> Arguments:
    places = [*range(len(arguments.positional)), *arguments.named]
    if not places:
        return arguments
    place = places[_below(chance, len(places))]
    if isinstance(place, str):
        return arguments._replace(named={**arguments.named, place: _mutated(arguments.named[place], chance)})
    positional = list(arguments.positional)
    positional[place] = _mutated(positional[place], chance)
    return arguments._replace(positional=tuple(positional))


def _mutated(value: Any, chance: random.Random) -> Any:  # noqa: PLR0911 - one for each type
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        reach = max(2, abs(value) // 4)
        moved = value + (1 + _below(chance, reach)) * (1 if _below(chance, 2) else -1)
        return abs(moved) if value >= 0 else moved
    if isinstance(value, float):
        scaled = value * (0.5 + chance.random()) + (_below(chance, 3) - 1)
        return round(abs(scaled) if value >= 0 else scaled, 3)
    if isinstance(value, str):
        return "".join(_sequence(list(value), chance, elements=False))
    if isinstance(value, list):
        return _sequence(value, chance, elements=True)
    if isinstance(value, tuple):
        return tuple(_sequence(list(value), chance, elements=True))
    if isinstance(value, set) and value:
        return {*sorted(value, key=_literal)[1:], _mutated(min(value, key=_literal), chance)}
    if isinstance(value, dict) and value:
        keys = list(value)
        key = keys[_below(chance, len(keys))]
        return {**value, key: _mutated(value[key], chance)}
    return value


def _sequence(items: list[Any], chance: random.Random, *, elements: bool) -> list[Any]:
    """The items with one repeated, removed, exchanged with another, or, with `elements`, changed itself."""
    if not items:
        return items
    at, other = _below(chance, len(items)), _below(chance, len(items))
    action = _below(chance, 5 if elements else 3)
    if action == 0:
        return [*items[: at + 1], *items[at:]]
    if action == 1 and len(items) > 1:
        return [*items[:at], *items[at + 1 :]]
    if action == 2 and at != other:
        exchanged = list(items)
        exchanged[at], exchanged[other] = exchanged[other], exchanged[at]
        return exchanged
    if elements:
        return [*items[:at], _mutated(items[at], chance), *items[at + 1 :]]
    return [*items[:at], items[other], *items[at + 1 :]]


def _below(chance: random.Random, bound: int) -> int:
    return int(chance.random() * bound)
