"""Whether two answers are the same, by algebra. Runs in the processes of `tasks.answers.isolated.pool` alone.

What it calls may take forever, or all memory: nothing here bounds that, for its caller does.
"""

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify
from sympy.parsing.latex import parse_latex

from tasks.answers.equality_without_algebra import as_values, equal_without_algebra, number
from tasks.answers.expressions import equal, read, rounds_to, solve_together
from tasks.answers.finding import find
from tasks.answers.normalization import normalize
from tasks.answers.structure import Parts, equation, paired, parts
from tasks.answers.units import differ, unit_of

# math-verify says, at each call without a time limit, that the caller has to set one.
logging.getLogger("math_verify").setLevel(logging.CRITICAL)

_UNTIMED = 0
_COMMAND = re.compile(r"\\[a-zA-Z]+")
# What no formula has: a word, or a numeral right after a letter.
_PROSE = re.compile(r"[a-zA-Z]{4,}|(?<![_^a-zA-Z])[a-zA-Z]+\d")
_PIECES = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]+|[^a-zA-Z\\]+|\\.")
_NUMERAL = re.compile(r"\d+")
_BASE = re.compile(r"\d_")


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
    """math-verify's word on a text against the gold answer (LaTeX); None where it finds no answer in the text.

    One thing is added. Where the text's answer is the gold answer with other numerals, or with a base, it is accepted
    only if `same` accepts it, too: math-verify drops units, bases, words and whatever its parser does not reach, and
    the numerals in them.
    """
    found = _read(text)
    if not found:
        return None
    if not verify(list(_gold(gold)), found, timeout_seconds=_UNTIMED):
        return False
    said = find(text)
    return said is None or not _differ_in_numerals(gold, said) or same_answer(gold, said)


def same_answer(gold: str, answer: str) -> bool:
    """Whether two answers as they are written are the same, in value and unit."""
    return not differ(unit_of(gold), unit_of(answer)) and same(normalize(gold), normalize(answer))


def same(gold: str, answer: str) -> bool:
    """Whether two normalized answers (`tasks.answers.normalization`) are the same: element by element where they have
    elements, piece by piece where there are words in them, and else as expressions. What is not read to its end is not
    the same."""
    known = equal_without_algebra(gold, answer)
    if known is not None:
        return known
    values = as_values(gold, answer)
    if values is None:
        # x = 2y and y = x/2 are one equation; an equation and a value are never the same.
        return equation(gold) is not None and equation(answer) is not None and _same_expression(gold, answer)
    return _same_value(*values)


def _same_value(gold: str, answer: str) -> bool:
    ours, theirs = parts(gold), parts(answer)
    if ours is not None and theirs is not None:
        return _same_parts(ours, theirs)
    if any(found is not None and found.brackets == ":" for found in (ours, theirs)):
        return False
    for whole, listed in ((gold, theirs), (answer, ours)):
        # x < 2 or x > 3 is a set as much as its union of intervals is.
        if listed is not None and not listed.brackets and _same_solutions(whole, listed.elements):
            return True
    if _is_prose(gold) or _is_prose(answer):
        return _same_pieces(gold, answer)
    return _same_expression(gold, answer)


def _same_parts(ours: Parts, theirs: Parts) -> bool:
    theirs = _sorted_by_name(theirs) if ours.ordered else theirs
    if ours.rows != theirs.rows or len(ours.elements) != len(theirs.elements) or not _alike(ours, theirs):
        return False
    if (_in_order if ours.ordered else _in_any_order)(ours.elements, theirs.elements):
        return True
    return ours.brackets == ":" and _proportional(ours.elements, theirs.elements)


def _alike(ours: Parts, theirs: Parts) -> bool:
    """Round and square brackets are not the same; those of a set may be left out."""
    return ours.brackets == theirs.brackets or not (ours.ordered or theirs.ordered)


def _in_order(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return all(same(normalize(a), normalize(b)) for a, b in zip(ours, theirs, strict=True))


def _in_any_order(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    # a = 1, b = 2 is not a = 2, b = 1.
    names = {_name(element) for element in ours}
    by_name = len(names) > 1 and names == {_name(element) for element in theirs}
    spelt = {element: normalize(element) for element in (*ours, *theirs)}

    def alike(one: str, other: str) -> bool:
        return (not by_name or _name(one) == _name(other)) and same(spelt[one], spelt[other])

    return paired(ours, theirs, alike)


def _name(element: str) -> str | None:
    """What an element of a list says that it is the value of; None where it says nothing."""
    name, equals, _ = element.partition("=")
    return name.strip() if equals else None


def _sorted_by_name(named: Parts) -> Parts:
    """x = 2, y = 3 as (2, 3); anything else as it is."""
    names = [_name(element) for element in named.elements]
    if named.brackets or None in names or len(set(names)) != len(names):
        return named
    return Parts("()", tuple(element.partition("=")[2] for element in sorted(named.elements)))


def _same_solutions(gold: str, relations: Sequence[str]) -> bool:
    """Whether a set has the solutions of any, or of all, of some relations: x < 2 or x > 3."""
    wanted, read_relations = read(gold), [read(each) for each in relations]
    if wanted is None or any(each is None for each in read_relations):
        return False
    return _without_errors(lambda: any(equal(wanted, each) for each in solve_together(read_relations) or ()))


def _proportional(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    pairs = [(number(a), number(b)) for a, b in zip(ours, theirs, strict=True)]
    factors = {a / b for a, b in pairs if a is not None and b}
    return len(factors) == 1 and all(a and b for a, b in pairs)


def _is_prose(spelt: str) -> bool:
    return _PROSE.search(_COMMAND.sub("\\\\", spelt)) is not None


def _same_pieces(gold: str, answer: str) -> bool:
    """Whether the words are the same, and so is what stands between them: 12 remainder 3 is not a product."""
    ours, theirs = _PIECES.findall(gold), _PIECES.findall(answer)
    if len(ours) != len(theirs) or len(ours) == 1:
        return False
    return all(
        a.casefold() == b.casefold() or (not a[0].isalpha() and not b[0].isalpha() and a[0] != "\\" and same(a, b))
        for a, b in zip(ours, theirs, strict=True)
    )


def _same_expression(gold: str, answer: str) -> bool:
    one, other = read(gold), read(answer)
    if one is None or other is None:
        return False
    return _without_errors(lambda: equal(one, other) or rounds_to(one, answer))


def _without_errors(compare: Callable[[], bool]) -> bool:
    """What a comparison finds; False where it fails."""
    try:
        return compare()
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - sympy raises anything where it cannot compare two expressions
        return False


def _differ_in_numerals(gold: str, answer: str) -> bool:
    """Whether two texts are the same but for numerals, and not in all of these; or differ, and one has a base."""
    ours, theirs = ("".join(text.replace("$", "").split()) for text in (gold, answer))
    if _BASE.search(ours) or _BASE.search(theirs):
        return ours != theirs
    return _NUMERAL.sub("0", ours) == _NUMERAL.sub("0", theirs) and ours != theirs


@lru_cache(maxsize=4096)
def _gold(answer: str) -> tuple[Any, ...]:
    return tuple(_read(f"${answer}$"))


def _read(text: str) -> list[Any]:
    settings = (LatexExtractionConfig(), ExprExtractionConfig())
    return list(parse(text, extraction_config=settings, parsing_timeout=_UNTIMED))


def warm_up() -> None:
    """Both parsers build large tables when they are first used."""
    difference_vanishes("x^2+\\frac{1}{2}", "x^2+1")
    verified("x^2+\\frac{1}{2}", "$x^2+1$")
    same("x^2+\\frac{1}{2}", "x^2+1")
