"""Whether a test leaves nothing behind in the process that runs it, from its text alone.

One process may then run it for many samples (`sandboxes.Sandbox.run_checked`). A test is trusted, but it may well seed
a generator, change a setting of its interpreter, or read a file, and then what it says of one sample could depend on
those before. So this errs on one side only: what is not known to be harmless is run in a separate process.

Harmless are names of the test's own, the modules and built-in functions below, and reading attributes. Setting an
attribute is not, nor is any name with an underscore in front: they lead to what modules, classes and functions share.
`id` and `hash` depend on where an object is in memory, and `random` on what was drawn before.
"""

import ast
import builtins
from functools import lru_cache

# None of them holds state that can be changed from outside without setting an attribute.
_MODULES = frozenset(
    {
        *("bisect", "cmath", "collections", "copy", "fractions", "functools", "heapq", "itertools", "math", "operator"),
        *("re", "string", "typing"),
    }
)
_BUILTINS = frozenset(
    {
        *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "complex", "dict"),
        *("divmod", "enumerate", "filter", "float", "format", "frozenset", "hasattr", "hex", "int", "isinstance"),
        *("issubclass", "iter", "len", "list", "map", "max", "min", "next", "object", "oct", "ord", "pow", "print"),
        *("range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "type", "zip"),
        *(name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)),
    }
)
_EVERY_BUILTIN = frozenset(dir(builtins))


@lru_cache(maxsize=1024)
def is_pure(text: str, function: str) -> bool:
    """Whether a test is known to leave nothing behind. `function` is another name that it may use."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    own = {function, *(name for node in nodes for name in _bound(node))}
    return own.isdisjoint(_EVERY_BUILTIN - _BUILTINS) and all(_is_harmless(node, own) for node in nodes)


def _bound(node: ast.AST) -> list[str]:
    """The names that a node makes the test's own."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.ExceptHandler) and node.name:
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return []


def _is_harmless(node: ast.AST, own: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return not node.id.startswith("__") and (node.id in own or node.id in _BUILTINS)
    if isinstance(node, ast.Attribute):
        return isinstance(node.ctx, ast.Load) and not node.attr.startswith("_")
    if isinstance(node, ast.Import):
        return all(alias.name in _MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        named = all(not alias.name.startswith(("_", "*")) for alias in node.names)
        return node.level == 0 and node.module in _MODULES and named
    # Coroutines need a loop, and a loop is shared.
    return not isinstance(node, (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await))
