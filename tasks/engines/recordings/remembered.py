"""What files of samples held when they were last read, in the user's cache folder, so that a sweep whose samples are
all stored need not read gigabytes to know its name.

An entry is used while nothing changes that the file system says about the file (`Stamp`: path, size, times, inode). It
only names the set and checks the counts: whenever a sample is drawn, the whole file is read again and must have the
remembered digest. A file that was changed in the last seconds is not remembered: another change could leave its times
as they are.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from tasks.engines.recordings.contents import Contents
from tasks.engines.recordings.files import Stamp
from tasks.files.atomic import replacing

_SETTLED_NS = 5_000_000_000
"""How long ago a file must have changed. File systems that keep times in whole seconds, or two, do so for certain."""

_FAULTS = (OSError, ValueError, RuntimeError)
"""The folder cannot be read or written, an entry is damaged, a file's name is not UTF-8, or there is no home folder."""


@dataclass(frozen=True)
class _Entry:
    written_by: str
    stamps: list[Stamp]
    contents: Contents


def recall(stamps: Sequence[Stamp], read_as: str) -> Contents | None:
    """What the files with these stamps held; None where that is not known. `read_as` says how they were read."""
    if not stamps:
        return None
    try:
        entry = _entries().validate_json(_place(stamps, read_as).read_bytes())
    except _FAULTS:
        return None
    return entry.contents if (entry.stamps, entry.written_by) == (list(stamps), _version()) else None


def remember(stamps: Sequence[Stamp], read_as: str, contents: Contents) -> None:
    """Keep what files held that had these stamps before and after they were read. Where that cannot be written,
    nothing is kept."""
    settled = time.time_ns() - _SETTLED_NS
    if not stamps or any(max(each.modified_ns, each.changed_ns) > settled for each in stamps):
        return
    try:
        place = _place(stamps, read_as)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(place) as file:
            file.write_bytes(_entries().dump_json(_Entry(_version(), list(stamps), contents)))
    except _FAULTS:
        return


def _place(stamps: Sequence[Stamp], read_as: str) -> Path:
    name = hashlib.sha256("\0".join([read_as, *(each.path for each in stamps)]).encode(errors="surrogateescape"))
    return _folder() / f"{name.hexdigest()}.json"


def _folder() -> Path:
    """MONKEYS_CACHE_DIR, or `monkeys` in the user's cache folder."""
    own = os.environ.get("MONKEYS_CACHE_DIR")
    caches = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return (Path(own) if own else Path(caches) / "monkeys") / "recordings"


def _version() -> str:
    return version("monkeys")


def _entries() -> TypeAdapter[_Entry]:
    return TypeAdapter(_Entry)
