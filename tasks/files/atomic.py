"""Replaces a file so that readers see the old one or the new one, never a part."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp-"
"""The prefix of the names of incomplete files; one whose writer was killed stays behind."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file in the same folder, to write to. At the end of the `with` block it is flushed to the disk and
    renamed to `path`; after an error it is removed, and `path` is unchanged.

    Raises:
        OSError: the file cannot be created, or cannot replace `path`.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name}")
    try:
        temporary.touch()
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
