"""Patches as text: finding one in what a model wrote, and what a unified diff touches. Nothing is run or applied here.

`extraction` looks for a patch in a sample's text and says by which rule it was found; `edits` turns search/replace
blocks and whole files into a patch; `unified` reads the headers of a unified diff. All of it takes time linear in the
text, which is hostile.
"""

from typing import NamedTuple


class ExtractedPatch(NamedTuple):
    """A unified diff that was found in a text, and the name of the rule that found it."""

    patch: str
    rule: str


class NoPatchError(ValueError):
    """A text has no patch; the message is a short reason."""


class InapplicableError(ValueError):
    """A text has a patch, which cannot be applied to the repository; the message is a short reason."""
