"""The compiled file that a process has made of a model's proof, taken where only confirming processes see it."""

import os
import stat
from pathlib import Path

_MAX_BYTES = 256 * 1024 * 1024


def copy_compiled(compiled: Path, folder: Path) -> str | None:
    """Copy a compiled file, which must be a file, or say what is wrong."""
    try:
        source = os.open(compiled, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return f"there is no compiled proof ({error.strerror})"
    with open(source, "rb") as stream:  # noqa: PTH123 - a descriptor
        about = os.fstat(source)
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MAX_BYTES:
            return "the compiled proof is not a file, or too large"
        (folder / compiled.name).write_bytes(stream.read())
    return None
