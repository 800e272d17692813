"""Where results live. The existence of an object is the truth: what is stored is done, what is not is owed."""

from typing import BinaryIO, NamedTuple, Protocol


class Temporary(NamedTuple):
    """An object that a writer has not given its name yet, and never will if it was killed."""

    key: str
    bytes: int
    age_s: float


class Store(Protocol):
    """Objects under string keys with `/` between their parts. A write appears whole or not at all."""

    def read(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """The object as a seekable file: what reads only a part fetches only that part."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Create or replace an object: readers see the old bytes or the new, never a part."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Every key under a prefix (a folder), sorted; one listing."""
        ...

    def sizes(self, prefix: str) -> dict[str, int]:
        """Every key under a prefix, sorted, with the number of bytes there; one listing."""
        ...

    def temporaries(self) -> list[Temporary]:
        """What writers that were killed left behind, and what living ones are writing now."""
        ...

    def age_s(self, key: str) -> float:
        """How long ago an object was written, by the clocks of store and reader: a hint, as either may be wrong.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def move(self, key: str, target: str) -> None:
        """Rename an object."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object that says nothing of results, such as a claim; nothing happens where there is none."""
        ...

    def url(self, key: str) -> str:
        """Where a person finds the object: a path or a URL."""
        ...
