"""Where results are stored. The existence of an object is the truth: what is stored is done, the rest is missing."""

from typing import BinaryIO, NamedTuple, Protocol


class Temporary(NamedTuple):
    """An object that its writer has not renamed to its key yet, and never will if it was killed."""

    key: str
    bytes: int
    age_s: float


class Store(Protocol):
    """Objects under string keys with `/` between their parts. A write appears whole or not at all."""

    def read(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            FileNotFoundError: the object does not exist.
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

    def keys_of_folders(self, prefix: str, beginning: str) -> list[str]:
        """The keys in those folders directly under a prefix whose names begin in this way, sorted; lists no more of
        the others than it has to."""
        ...

    def sizes(self, prefix: str) -> dict[str, int]:
        """Every key under a prefix, sorted, with the number of bytes there; one listing."""
        ...

    def versions(self, prefix: str) -> dict[str, str]:
        """Every key under a prefix, sorted, with what changes when its object is replaced; one listing."""
        ...

    def temporaries(self) -> list[Temporary]:
        """What killed writers left behind, and what others are writing now."""
        ...

    def age_s(self, key: str) -> float:
        """How long ago an object was written, by the clocks of store and reader: a hint, as either may be wrong.

        Raises:
            FileNotFoundError: the object does not exist.
        """
        ...

    def move(self, key: str, target: str) -> None:
        """Rename an object."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object that is not a result, such as a claim; nothing happens where it does not exist."""
        ...

    def url(self, key: str) -> str:
        """Where a person finds the object: a path or a URL."""
        ...

    def probe(self) -> None:
        """Write, read and remove one small object, so that a store that cannot be used is known before any work.

        Raises:
            UserError: the store cannot be written, with the reason.
        """
        ...

    def check_readable(self) -> None:
        """Make sure that the store exists and may be listed.

        Raises:
            UserError: it does not or may not, with the reason.
        """
        ...
