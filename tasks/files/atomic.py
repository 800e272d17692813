"""Writing a file so that readers see the old one or the new, never a part."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp-"
"""How the name of a file begins that is not complete yet, and never will be if its writer was killed."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file in the same folder, to write to. It becomes `path` at the end of the `with` block, once its bytes
    are on the disk; after an error it is removed, and `path` stays as it was.

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
