"""The bytes that samples are read from: those of the user's file, or of a temporary file."""

import hashlib
import os
import tempfile
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from tasks.errors import UserError


class Stamp(NamedTuple):
    """What a file system says about a file; two versions of it that differ in no part of this are taken for equal."""

    path: str
    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> "Stamp":
        """The stamp of a file with this status."""
        return cls(
            str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
        )


def stamps(path: Path) -> list[Stamp]:
    """The stamps of a file, or of all files in a folder; empty where one cannot be read."""
    try:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        return [Stamp.of(each, each.stat()) for each in files]
    except OSError:
        return []


class HashedFile(RawIOBase):
    """A file whose bytes are hashed while they are read, from its start to its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw: Any = raw
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        count: int = self._raw.readinto(buffer)
        self._hash.update(memoryview(buffer)[:count])
        return count

    @property
    def digest(self) -> str:
        """SHA-256 of what has been read, in hex."""
        return self._hash.hexdigest()


class Spool:
    """A temporary file without a name, which the operating system removes with the process."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._end = 0
        try:
            self.file: IO[bytes] = tempfile.TemporaryFile(prefix="monkeys-", buffering=1 << 20)  # noqa: SIM115 - it lives as long as the engine
        except OSError as error:
            raise self._fault(error) from error

    def write(self, data: bytes) -> int:
        """Append; returns where.

        Raises:
            UserError: there is no space.
        """
        start = self._end
        try:
            self.file.write(data)
        except OSError as error:
            raise self._fault(error) from error
        self._end += len(data)
        return start

    def flush(self) -> None:
        """Make what was written readable; raises as `write` does."""
        try:
            self.file.flush()
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> UserError:
        return UserError(
            f"{self._source}: its samples cannot be unpacked into {tempfile.gettempdir()} ({error.strerror}); set"
            " TMPDIR to a folder with more space"
        )


def read_at(file: IO[bytes], start: int, stop: int) -> bytes:
    """The bytes [start, stop) of a file; fewer where it ends before. Any number of threads may read at once."""
    parts: list[bytes] = []
    while start < stop:
        part = os.pread(file.fileno(), stop - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def sha256(file: Any) -> str:
    """SHA-256 of a whole file, in hex; afterwards it is at its start again."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest
