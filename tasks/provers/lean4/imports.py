"""The beginning of a file in Lean: `prelude` and imports, and what else a theorem's header may have."""

from tasks.provers import UnplaceableError
from tasks.provers.lean4.tokens import Token, tokens
from tasks.provers.lean4.words import COMMANDS

_ALLOWED = frozenset(
    {"import", "prelude", "public", "meta", "namespace", "section", "noncomputable", "end", "attribute"}
)
_ALLOWED_AFTER = _ALLOWED | {"universe", "universes", "variable", "variables", "include", "omit"}


def with_imports(header: str, *modules: str) -> str:
    """The header with further modules, imported after its own."""
    at = _end_of_imports(list(tokens(header)))
    return "\n".join((header[:at], *(f"import {module}" for module in modules), header[at:]))


def require_only_scopes(header: str) -> None:
    """Make sure that a header declares nothing, so that it can be compiled more than once, and all of that be imported.

    Raises:
        UnplaceableError: it does; the message names the command.
    """
    depth = 0
    for token in tokens(header):
        if token.kind == "symbol":
            depth += sum(token.text.count(each) for each in "([{") - sum(token.text.count(each) for each in ")]}")
        elif token.kind == "word" and depth == 0 and token.text in COMMANDS - _ALLOWED_AFTER:
            raise UnplaceableError(
                f"its header has `{token.text}`: move what it declares into a library, and import that"
            )


def _end_of_imports(found: list[Token]) -> int:
    """Where the imports end, which are words at the beginning: `prelude`, `module`, and `import` with a name."""
    end, number = 0, 0
    while number < len(found):
        word = found[number].text
        if word in {"public", "meta"} and number + 1 < len(found) and found[number + 1].text in {"import", "meta"}:
            number += 1
        elif word in {"prelude", "module"} and number < 2:
            number += 1
            end = found[number - 1].end
        elif word == "import" and number + 1 < len(found):
            number += 3 if found[number + 1].text in {"runtime", "all"} and number + 2 < len(found) else 2
            end = found[number - 1].end
        else:
            return end
    return end
