"""The version of what is stored, and what a reader refuses.

A minor version adds what older readers can ignore: a nullable column, a field of a footer with a default. Everything
else, such as a new verdict, is a major version, which enters the names of sets: a new major never reads an old object
as its own.
"""

import re
from typing import NamedTuple, Self

from tasks.errors import UserError

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


class Version(NamedTuple):
    """A schema version; they compare as one expects."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """The version that a footer carries; None where it is not one."""
        match = _VERSION.fullmatch(text) if isinstance(text, str) else None
        return None if match is None else cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


SCHEMA = Version(1, 4)
"""The schema that this version writes."""


class CorruptObjectError(UserError):
    """An object that is torn, damaged, or not what its key says. `reason` is a sentence about the object with this
    `key`."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason

    def __str__(self) -> str:
        return f"store: {self.key} is damaged: {self.reason}"


class NewerSchemaError(UserError):
    """An object that a newer version of this program wrote: intact, but this version cannot read it."""

    @classmethod
    def of(cls, what: str, schema: object) -> Self:
        """The error for an object or a set with this schema."""
        return cls(
            f"store: {what} has schema {schema}, written by a newer version of monkeys; this one reads up to schema"
            f" {SCHEMA.major}: upgrade it"
        )
