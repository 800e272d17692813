"""LaTeX read to its end, and whether two expressions are equal. Runs only in the processes of `tasks.answers.isolated`.

What it calls may take forever, or all memory: nothing here bounds that, for its caller does.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import sympy
from antlr4 import CommonTokenStream, InputStream, Token
from latex2sympy2_extended.antlr_parser import PSLexer, PSParser
from latex2sympy2_extended.latex2sympy2 import latex2sympy
from latex2sympy2_extended.logic import And
from sympy.core.relational import Relational

from tasks.answers.structure import paired

# What the parser accepts and drops: primes, the base of a numeral, the arguments of gcd where they are letters.
_DROPPED = re.compile(r"'|\d_|\\(?:gcd|lcm)(?![a-zA-Z])[^a-zA-Z]*[a-zA-Z]")
_INTEGERS = frozenset("jkmn")
# Where expressions are compared: numbers that no identity singles out, of both signs.
_POINTS = (
    (sympy.Rational(17, 7), 5),
    (sympy.Rational(-29, 13), -3),
    (sympy.Rational(3, 11), 2),
    (sympy.Rational(-5, 19), 8),
    (sympy.Rational(41, 23), -4),
)
_ENOUGH_POINTS = 3
_DIGITS, _MAX_DIGITS = 15, 300
_DECIMAL = re.compile(r"^-?\d*\.(\d+)$")
# A decimal of fewer digits says nothing about an irrational number.
_ENOUGH_DIGITS = 6
_OPPOSITE = {
    sympy.StrictGreaterThan: sympy.StrictLessThan,
    sympy.GreaterThan: sympy.LessThan,
}


def read(latex: str) -> Any:
    """The expression, set or relation that LaTeX stands for; None where the parser does not understand every token."""
    if not latex or _DROPPED.search(latex):
        return None
    try:
        if not _is_understood(latex):
            return None
        return latex2sympy(latex, is_real=True, convert_degrees=False, normalization_config=None)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - the library raises bare exceptions, and the errors of sympy and of Python
        return None


def _is_understood(latex: str) -> bool:
    """Whether the grammar derives the whole text. The library drops spacing: 5 \\quad 6 is a mixed number for it."""
    lexer = PSLexer(InputStream(latex))
    lexer.removeErrorListeners()
    stream = CommonTokenStream(lexer)
    parser = PSParser(stream)
    parser.removeErrorListeners()
    parser.math()
    tokens = "".join(token.text for token in stream.tokens if token.type != Token.EOF)
    ended = parser.getCurrentToken().type == Token.EOF and not parser.getNumberOfSyntaxErrors()
    return ended and _dense(tokens) == _dense(latex)


def _dense(text: str) -> str:
    return re.sub(r"\s", "", text)


def equal(one: Any, other: Any) -> bool:
    """Whether two objects that `read` returned are the same number, function, matrix, set or relation."""
    if _is_relation(one) or _is_relation(other):
        return _relations_equal(one, other)
    if isinstance(one, sympy.MatrixBase) or isinstance(other, sympy.MatrixBase):
        return (
            isinstance(one, sympy.MatrixBase)
            and isinstance(other, sympy.MatrixBase)
            and one.shape == other.shape
            and all(equal(a, b) for a, b in zip(one.flat(), other.flat(), strict=True))
        )
    if isinstance(one, (sympy.Set, sympy.Tuple)) or isinstance(other, (sympy.Set, sympy.Tuple)):
        return _sets_equal(one, other)
    return _expressions_equal(one, other)


def solve_together(relations: Sequence[Any]) -> tuple[Any, Any] | None:
    """The solutions of any, and of all, of relations in one variable; None where these are not such relations."""
    solved = [_solutions(each) if _is_relation(each) else None for each in relations]
    if any(each is None for each in solved) or len({each.free_symbols.pop() for each in relations}) != 1:
        return None
    return sympy.Union(*solved), sympy.Intersection(*solved)


def rounds_to(number: Any, decimal: str) -> bool:
    """Whether an irrational number, rounded to the digits of a decimal with at least six significant ones, is that."""
    match = _DECIMAL.match(decimal)
    if match is None or len(decimal.lstrip("-").replace(".", "").lstrip("0")) < _ENOUGH_DIGITS:
        return False
    if not isinstance(number, sympy.Expr) or number.free_symbols or number.is_rational is not False:
        return False
    off = (number.doit() - sympy.Rational(decimal)).evalf(_DIGITS)
    return bool(off.is_real and abs(off) <= sympy.Rational(1, 2 * 10 ** len(match[1])))


def _expressions_equal(one: Any, other: Any) -> bool:
    if not isinstance(one, sympy.Expr) or not isinstance(other, sympy.Expr):
        return False
    one, other = _exact(one), _exact(other)
    if one == other:
        return True
    if one.has(sympy.oo, -sympy.oo, sympy.nan, sympy.zoo) or other.has(sympy.oo, -sympy.oo, sympy.nan, sympy.zoo):
        return False
    if _vanishes(one - other):
        return True
    unit = {symbol for symbol in one.free_symbols | other.free_symbols if symbol.name == "i"}
    return bool(unit) and _vanishes((one - other).xreplace(dict.fromkeys(unit, sympy.I)))


def _exact(expression: Any) -> Any:
    """An expression evaluated, with fractions for its decimals."""
    evaluated = expression.doit()
    return evaluated.xreplace({each: sympy.Rational(str(each)) for each in evaluated.atoms(sympy.Float)})


def _vanishes(difference: Any) -> bool:
    """Whether an expression is 0 wherever it is defined.

    It is evaluated to any digits that it takes to tell it from 0, and so nothing is too small to matter. One value
    that is not 0 decides; where enough values are 0, so is the expression.
    """
    if not difference.free_symbols:
        found = _is_zero(difference)
        return bool(sympy.simplify(difference) == 0) if found is None else found
    zeros = 0
    for point in _points(difference):
        found = _is_zero(difference.xreplace(point))
        if found is False:
            return False
        zeros += found is True
    return zeros >= _ENOUGH_POINTS or bool(sympy.simplify(difference) == 0)


def _points(expression: Any) -> Iterator[dict[Any, Any]]:
    """Values for the symbols of an expression, all different; integers for those that are usually integers."""
    symbols = sorted(expression.free_symbols, key=str)
    for at, _ in enumerate(_POINTS):
        chosen = {}
        for place, symbol in enumerate(symbols):
            fraction, integer = _POINTS[(at + place) % len(_POINTS)]
            lap = place // len(_POINTS)
            chosen[symbol] = sympy.Integer(integer + lap) if symbol.name in _INTEGERS else fraction + lap
        yield chosen


def _is_zero(value: Any) -> bool | None:
    """Whether a number is 0, to 300 digits; None where it has no value."""
    value = value.doit()
    if value.is_Rational:
        return bool(value == 0)
    for part in value.evalf(_DIGITS, maxn=_MAX_DIGITS).as_real_imag():
        if not isinstance(part, (sympy.Float, sympy.Integer)):
            return None
        # Precision 1 says that no digit could be told from 0.
        if part != 0 and getattr(part, "_prec", _DIGITS) > 1:
            return False
    return True


def _sets_equal(one: Any, other: Any) -> bool:
    if isinstance(one, sympy.Interval) and isinstance(other, sympy.Interval):
        return (
            (one.left_open, one.right_open) == (other.left_open, other.right_open)
            and _expressions_equal(one.start, other.start)
            and _expressions_equal(one.end, other.end)
        )
    if isinstance(one, sympy.Tuple) and isinstance(other, sympy.Tuple):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    same_kind = any(isinstance(one, kind) and isinstance(other, kind) for kind in (sympy.FiniteSet, sympy.Union))
    if same_kind and paired(one.args, other.args, equal):
        return True
    if isinstance(one, sympy.Set) and isinstance(other, sympy.Set):
        return bool(one.doit() == other.doit() or one.symmetric_difference(other).is_empty is True)
    return False


def _is_relation(value: Any) -> bool:
    return isinstance(value, (Relational, And))


def _relations_equal(one: Any, other: Any) -> bool:
    if not _is_relation(one) or not _is_relation(other):
        ours, theirs = _solutions(one), _solutions(other)
        return ours is not None and theirs is not None and _sets_equal(ours, theirs)
    ours, theirs = _chain(one), _chain(other)
    return len(ours) == len(theirs) and all(
        any(_relation_equal(a, b) for b in theirs) and any(_relation_equal(a, b) for a in ours)
        for a, b in zip(ours, theirs, strict=True)
    )


def _chain(relation: Any) -> list[Any]:
    return list(relation._unsorted_args) if isinstance(relation, And) else [relation]


def _solutions(value: Any) -> Any:
    """A set, or the solutions of relations in one variable; None for anything else."""
    if isinstance(value, sympy.Set):
        return value
    if not _is_relation(value) or len(value.free_symbols) != 1 or any(isinstance(a, sympy.Set) for a in value.args):
        return None
    if any(isinstance(each, sympy.Eq) for each in _chain(value)):
        return None
    return sympy.And(*[each.func(_exact(each.lhs), _exact(each.rhs)) for each in _chain(value)]).as_set()


def _relation_equal(one: Any, other: Any) -> bool:
    """Whether two relations say the same: one side minus the other is a multiple, positive where order matters."""
    one, other = _ascending(one), _ascending(other)
    if one[0] is not other[0]:
        return False
    if any(not isinstance(side, sympy.Expr) for side in (one[1], other[1])):
        return False
    ours, theirs = _exact(one[1]), _exact(other[1])
    if ours.free_symbols != theirs.free_symbols:
        return False
    if _vanishes(ours - theirs):
        return True
    factor = sympy.simplify(ours / theirs)
    if factor.free_symbols or not factor.is_real or factor == 0:
        return False
    return bool(one[0] in {sympy.Eq, sympy.Ne} or factor.is_positive)


def _ascending(relation: Any) -> tuple[Any, Any]:
    """The relation's kind, with < for >, and the side that is less minus the other."""
    kind = type(relation)
    if kind in _OPPOSITE:
        return _OPPOSITE[kind], relation.rhs - relation.lhs
    return kind, relation.lhs - relation.rhs
