"""Calls whose arguments are literals, found in Python code."""

import ast
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any


def calls_in(texts: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """The different calls of functions with these names in some valid Python, as expressions, in order."""
    found = (node for text in texts for node in ast.walk(ast.parse(text)))
    return tuple(dict.fromkeys(ast.unparse(node) for node in found if is_literal_call(node, names)))


@lru_cache(maxsize=1024)
def calls_of_test(test: str, entry_point: str) -> tuple[str, ...]:
    """The calls that a function test makes of its function with literals, by the function's name or that of the first
    parameter of `check`."""
    names = {entry_point}
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.FunctionDef) and node.name == "check" and node.args.args:
            names.add(node.args.args[0].arg)
    return calls_in([test], names)


def is_literal_call(node: ast.AST, names: Collection[str]) -> bool:
    """Whether a node is a call of one of these names, with literals alone."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names):
        return False
    named = all(keyword.arg is not None for keyword in node.keywords)
    return named and all(is_literal(each) for each in (*node.args, *(keyword.value for keyword in node.keywords)))


def is_literal(node: Any) -> bool:
    """Whether a node, or a text, is a literal of Python."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
