"""The axioms on which a proof in Lean rests, as Lean reports them."""

import re
from typing import Annotated, Literal

from pydantic import Field

AXIOMS = {"standard": frozenset({"propext", "Quot.sound", "Classical.choice"}), "none": frozenset[str]()}
"""The axioms that proofs may rest on: the three of Lean's own library, or none."""

AllowedAxioms = Annotated[
    Literal["standard", "none"],
    Field(description="Axioms that a proof may rest on: propext, Quot.sound and Classical.choice, or none at all"),
]

_LIST = re.compile(r"depends on axioms:\s*\[(.*)\]\s*$", re.DOTALL)


def reported(text: str) -> list[str] | None:
    """The names in a report of `#print axioms`; None where the text is not such a report."""
    if text.rstrip().endswith("does not depend on any axioms"):
        return []
    found = _LIST.search(text)
    return None if found is None else [name for name in re.split(r"[\s,]+", found[1]) if name]
