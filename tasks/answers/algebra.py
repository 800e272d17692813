"""Whether two expressions are the same, by algebra. Runs in the processes of `tasks.answers.isolated.pool` alone.

What it calls may take for ever, or all memory: nothing here bounds that, for its caller does.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify
from sympy.parsing.latex import parse_latex

from tasks.answers.spelling import Parts, equal_without_algebra, named, parts, spell

# math-verify says, at each call without a time limit, that the caller has to set one.
logging.getLogger("math_verify").setLevel(logging.CRITICAL)

_UNTIMED = 0


def difference_vanishes(one: str, other: str) -> bool:
    """Minerva's equivalence: sympy reads both as LaTeX, and simplifies their difference to 0."""
    try:
        difference: Any = parse_latex(one) - parse_latex(other)
        return bool(sympy.simplify(difference) == 0)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - the rule: what sympy cannot read or subtract, for whatever reason, is not equal
        return False


def verified(gold: str, text: str) -> bool | None:
    """math-verify's word on a text against the gold answer (LaTeX); None where it finds no answer in the text."""
    found = _read(text)
    return None if not found else bool(verify(list(_gold(gold)), found, timeout_seconds=_UNTIMED))


def same(gold: str, answer: str) -> bool:
    """Whether two answers in the spelling of `tasks.answers.spelling` are the same: element by element where they have
    elements, and else if they are the same number or word, or math-verify or Minerva's rule makes them the same."""
    ours, theirs = parts(gold), parts(answer)
    if ours is not None and theirs is not None:
        if ours.rows != theirs.rows or len(ours.elements) != len(theirs.elements) or not _alike(ours, theirs):
            return False
        return (_in_order if ours.ordered else _in_any_order)(ours.elements, theirs.elements)
    known = equal_without_algebra(gold, answer)
    if known is not None:
        return known
    found = _read(f"${answer}$")
    if found and verify(list(_gold(gold)), found, timeout_seconds=_UNTIMED, allow_set_relation_comp=True):
        return True
    # sympy reads a list as its first element.
    return ours is None and theirs is None and difference_vanishes(gold, answer)


def _alike(ours: Parts, theirs: Parts) -> bool:
    """Round and square brackets are not the same; those of a set may be left out."""
    return ours.brackets == theirs.brackets or not (ours.ordered or theirs.ordered)


def _in_order(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return all(same(spell(a), spell(b)) for a, b in zip(ours, theirs, strict=True))


def _in_any_order(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    left = list(theirs)
    # a = 1, b = 2 is not a = 2, b = 1.
    names = {named(element) for element in ours}
    by_name = len(names) > 1 and names == {named(element) for element in theirs}
    for element in ours:
        of_its_name = [other for other in left if not by_name or named(other) == named(element)]
        match = next((other for other in of_its_name if same(spell(element), spell(other))), None)
        if match is None:
            return False
        left.remove(match)
    return True


@lru_cache(maxsize=4096)
def _gold(answer: str) -> tuple[Any, ...]:
    return tuple(_read(f"${answer}$"))


def _read(text: str) -> list[Any]:
    settings = (LatexExtractionConfig(), ExprExtractionConfig())
    return list(parse(text, extraction_config=settings, parsing_timeout=_UNTIMED))


def warm_up() -> None:
    """Both parsers build large tables when they are first used."""
    same("x^2+\\frac{1}{2}", "x^2+1")
