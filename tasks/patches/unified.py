"""What a unified diff touches, from its headers alone."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.patches import InapplicableError

_GIT_HEADER = re.compile(r"diff --git a/(.*) b/(.*)")
_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_RENAMED = re.compile(r"(?:rename|copy) (from|to) (.*)")
_NO_FILE = "/dev/null"
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r'\\([0-7]{3}|[abfnrtv"\\])')


class FilePatch(NamedTuple):
    """One file of a diff. `old` is None for a new file, `new` for a deleted one. Paths are from the root."""

    old: str | None
    new: str | None


def is_diff(line: str, following: str) -> bool:
    """Whether a line, with the line after it, begins the diff of a file."""
    return line.startswith("diff --git ") or (line.startswith("--- ") and following.startswith("+++ "))


def file_patches(patch: str) -> list[FilePatch]:
    """The files of a diff, in order. Lines of hunks are not taken for headers."""
    return [FilePatch(*paths) for paths in _headers(patch)]


def check_paths(patch: str) -> None:
    """Make sure that a diff stays in the repository's working tree.

    Raises:
        InapplicableError: it names an absolute path, a path with `..`, or one in a folder `.git`.
    """
    for each in file_patches(patch):
        for path in (each.old, each.new):
            if path is None:
                continue
            parts = path.split("/")
            if path.startswith("/") or ".." in parts:
                raise InapplicableError(f"it names {path[:60]!r}, which is outside the repository")
            # Git refuses these in any case, since some file systems do not distinguish it.
            if ".git" in (part.rstrip(". ").lower() for part in parts):
                raise InapplicableError(f"it names {path[:60]!r}, which is Git's own")


def _headers(patch: str) -> Iterator[list[str | None]]:
    """The old and the new path of each file."""
    paths: list[str | None] | None = None
    has_names = False
    left = [0, 0]
    for line in patch.split("\n"):
        if left[0] > 0 or left[1] > 0:
            _consume(line, left)
            if left[0] >= 0:
                continue
        if line.startswith("diff --git ") or (line.startswith("--- ") and (paths is None or has_names)):
            if paths is not None:
                yield paths
            git = _GIT_HEADER.match(line)
            paths, has_names = ([git[1], git[2]] if git else [None, None]), False
        if paths is None:
            continue
        if hunk := _HUNK.match(line):
            left = [int(hunk[1] or 1), int(hunk[2] or 1)]
        else:
            has_names |= line.startswith("--- ")
            _read_header(line, paths)
    if paths is not None:
        yield paths


def _read_header(line: str, paths: list[str | None]) -> None:
    """Take a path from a line of a file's header, if it has one."""
    if line.startswith("--- "):
        paths[0] = _path(line[4:], "a/")
    elif line.startswith("+++ "):
        paths[1] = _path(line[4:], "b/")
    elif line.startswith("new file mode"):
        paths[0] = None
    elif line.startswith("deleted file mode"):
        paths[1] = None
    elif renamed := _RENAMED.match(line):
        paths[renamed[1] == "to"] = _unquoted(renamed[2])


def _consume(line: str, left: list[int]) -> None:
    """Count a line of a hunk; -1 where it is not a part of one, since the counts in the hunk's header are wrong."""
    mark = line[:1]
    if mark in (" ", "", "-"):
        left[0] -= 1
    if mark in (" ", "", "+"):
        left[1] -= 1
    if mark not in (" ", "", "-", "+", "\\"):
        left[0] = left[1] = -1


def _path(text: str, prefix: str) -> str | None:
    """A path in a line that begins with --- or +++, where a time may follow."""
    path = _unquoted(text.partition("\t")[0].rstrip("\r"))
    return None if path == _NO_FILE else path.removeprefix(prefix)


def _unquoted(path: str) -> str:
    """A path without the quotes that Git puts around unusual names."""
    path = path.rstrip("\r")
    if len(path) < 2 or not (path.startswith('"') and path.endswith('"')):
        return path
    plain = _ESCAPE.sub(lambda each: _ESCAPES.get(each[1]) or chr(int(each[1], 8) & 0xFF), path[1:-1])
    # The octal numbers are bytes of UTF-8.
    return plain.encode("latin-1", "replace").decode("utf-8", "replace")
