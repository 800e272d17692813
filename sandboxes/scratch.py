"""Temporary folders in which confined programs work. A process that is killed cannot remove its folder; the next one
does.

Who uses a folder holds a lock on it, which the kernel releases when the process ends (flock(2)). That works between
containers that share a /tmp, where process ids would not.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PREFIX = "monkeys-scratch-"
_YOUNG_S = 60.0
"""A folder may be this old without a lock: it has just been created."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new, empty folder, removed at the end."""
    _remove_abandoned_once()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@cache
def _remove_abandoned_once() -> None:
    remove_abandoned(Path(tempfile.gettempdir()))


def remove_abandoned(parent: Path, young_s: float = _YOUNG_S) -> None:
    """Remove the folders whose processes have ended, unless they are younger than `young_s` seconds."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                old = time.time() - os.fstat(lock).st_mtime >= young_s
                if old:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
