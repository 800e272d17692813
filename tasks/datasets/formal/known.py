"""The known versions of miniF2F's statements, and the statements that are known to be defective.

Figures of different papers are not on one benchmark: copies of miniF2F differ in some statements. So each statement is
compared with the versions that are known here, by a hash of its header and its text.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from tasks.datasets.formal.statement import Statement

HASH_DIGITS = 16


class Version(NamedTuple):
    """A version of the statements: its source, the hash of each statement, and what is wrong with some, by name."""

    source: str
    statements: dict[str, str]
    defects: dict[str, str]


@cache
def versions(system: str) -> tuple[Version, ...]:
    """The known versions of one system, `rocq` or `lean`."""
    text = resources.files(__package__).joinpath(f"{system}_versions.json").read_text(encoding="utf-8")
    return tuple(Version(**each) for each in json.loads(text))


def defect(system: str, statement: Statement) -> str | None:
    """What is wrong with a statement, where it is one that is known to be defective; a repaired one is not."""
    own = digest(statement)
    for version in versions(system):
        if version.statements.get(statement.name) == own and statement.name in version.defects:
            return version.defects[statement.name]
    return None


def digest(statement: Statement) -> str:
    """The start of the SHA-256 of a statement and its header, with whitespace normalized (hexadecimal)."""
    text = "\n".join(" ".join(part.split()) for part in (statement.header, statement.text))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def version_of(system: str, statements: Sequence[Statement]) -> str:
    """One line that says which version the statements are, or how far they are from the closest one."""
    others, source = min(
        ([each.name for each in statements if version.statements.get(each.name) != digest(each)], version.source)
        for version in versions(system)
    )
    if not others:
        return f"the statements are those of {source}"
    named = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    return f"{len(statements) - len(others)} of {len(statements)} statements are those of {source}, not {named}"
