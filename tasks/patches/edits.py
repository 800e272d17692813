"""Edits that a model writes instead of a diff: search/replace blocks, and whole files.

    src/names.py                          <file path="src/names.py">
    <<<<<<< SEARCH                        def greet():
    def greet():                              return "hello"
    =======                               </file>
    def greet(name):
    >>>>>>> REPLACE

They are applied to the files that the model was shown, and become a unified diff. What a block searches for must occur
exactly once in its file, as whole lines; an empty search creates a new file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tasks.patches import InapplicableError, NoPatchError

SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
_FILE = re.compile(r'<file path="([^"\n]+)">[ \t]*')
_END_OF_FILE = "</file>"
_CONTEXT = 3
MAX_BLOCKS = 1_000
"""The most search/replace blocks that are applied: each of them goes through its whole file."""


class Block(NamedTuple):
    """One search/replace block. Both texts are whole lines, without the last line break."""

    path: str
    search: str | None
    replace: str | None


def search_replace_blocks(text: str) -> list[Block]:
    """The blocks of a text, in order; empty where it has none. A block without a path is for the file of the one
    before it.

    Raises:
        NoPatchError: a block has no end, no middle or no path.
    """
    lines = text.split("\n")
    blocks: list[Block] = []
    path = ""
    at = 0
    while at < len(lines):
        if lines[at].rstrip() != SEARCH:
            at += 1
            continue
        path = _path_above(lines, at) or path
        middle = _next(lines, MIDDLE, at + 1)
        end = _next(lines, REPLACE, (middle or at) + 1)
        if middle is None or end is None:
            raise NoPatchError(f"search/replace block {len(blocks) + 1} has no {REPLACE if middle else MIDDLE} line")
        if not path:
            raise NoPatchError(f"search/replace block {len(blocks) + 1} has no path above it")
        blocks.append(Block(path, _joined(lines[at + 1 : middle]), _joined(lines[middle + 1 : end])))
        at = end + 1
    return blocks


def whole_files(text: str) -> dict[str, str]:
    """The files that a text has in full, by path; empty where it has none. The last one counts.

    Raises:
        NoPatchError: one has no end.
    """
    lines = text.split("\n")
    found: dict[str, str] = {}
    at = 0
    while at < len(lines):
        begun = _FILE.fullmatch(lines[at].rstrip("\r"))
        if begun is None:
            at += 1
            continue
        end = _next(lines, _END_OF_FILE, at + 1)
        if end is None:
            raise NoPatchError(f"the file {begun[1][:60]!r} has no {_END_OF_FILE} line")
        found[begun[1]] = "".join(f"{line}\n" for line in lines[at + 1 : end])
        at = end + 1
    return found


def diff_of_blocks(blocks: Sequence[Block], files: Mapping[str, str]) -> str:
    """The blocks as a unified diff of these files; raises InapplicableError where one does not fit, or there are more
    than `MAX_BLOCKS`."""
    if len(blocks) > MAX_BLOCKS:
        raise InapplicableError(f"it has {len(blocks):,} search/replace blocks; at most {MAX_BLOCKS:,} are applied")
    after = dict(files)
    for number, block in enumerate(blocks, 1):
        after[block.path] = _replaced(number, block, after.get(block.path))
    return _diffs(files, after)


def diff_of_files(whole: Mapping[str, str], files: Mapping[str, str]) -> str:
    """Whole files as a unified diff of these files. A file keeps its kind of line breaks."""
    after = dict(files)
    for path, text in whole.items():
        after[path] = _as_crlf(text) if path in files and _is_crlf(files[path]) else text
    return _diffs(files, after)


def _replaced(number: int, block: Block, text: str | None) -> str:
    where = f"search/replace block {number}"
    if block.search is None or not block.search.strip():
        if text:
            raise InapplicableError(f"{where} searches for nothing in {block.path[:60]!r}, which exists")
        return "" if block.replace is None else f"{block.replace}\n"
    if text is None:
        raise InapplicableError(f"{where} edits {block.path[:60]!r}, which was not shown")
    crlf = _is_crlf(text)
    # Line breaks around both, so that only whole lines match.
    body = "\n" + (text.replace("\r\n", "\n") if crlf else text)
    ends = body.endswith("\n")
    body += "" if ends else "\n"
    wanted = f"\n{block.search}\n"
    found = body.find(wanted)
    if found < 0:
        raise InapplicableError(f"{where} searches for lines that are not in {block.path[:60]!r}")
    if body.find(wanted, found + 1) >= 0:
        raise InapplicableError(f"{where} searches for lines that occur several times in {block.path[:60]!r}")
    put = "\n" if block.replace is None else f"\n{block.replace}\n"
    changed = (body[:found] + put + body[found + len(wanted) :])[1:]
    if not ends:
        changed = changed.removesuffix("\n")
    return _as_crlf(changed) if crlf else changed


def _diffs(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return "".join(_diff(path, before.get(path), text) for path, text in after.items() if before.get(path) != text)


def _diff(path: str, before: str | None, after: str) -> str:
    """One hunk from the first line that differs to the last: found in linear time, unlike a shortest diff."""
    old, new = _lines(before or ""), _lines(after)
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    start = max(0, first - _CONTEXT)
    kept = max(0, last - _CONTEXT)
    body = [
        *(f" {line}" for line in old[start:first]),
        *(f"-{line}" for line in old[first : len(old) - last]),
        *(f"+{line}" for line in new[first : len(new) - last]),
        *(f" {line}" for line in old[len(old) - last : len(old) - kept]),
    ]
    header = f"diff --git a/{path} b/{path}\n"
    if before is None:
        header += "new file mode 100644\n"
    if not body:  # an empty new file
        return header
    counts = (len(old) - kept - start, len(new) - kept - start)
    ranges = [f"{start + 1 if count else start},{count}" for count in counts]
    header += f"--- {'/dev/null' if before is None else f'a/{path}'}\n+++ b/{path}\n@@ -{ranges[0]} +{ranges[1]} @@\n"
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in body)
    return header + "".join(ended)


def _lines(text: str) -> list[str]:
    """Lines with their line breaks; only \\n ends one, as for Git."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _is_crlf(text: str) -> bool:
    return "\r\n" in text and text.count("\n") == text.count("\r\n")


def _as_crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _next(lines: Sequence[str], wanted: str, at: int) -> int | None:
    """The position of a line that ends a part. Another beginning before it means that the part has no end."""
    for position in range(at, len(lines)):
        line = lines[position].rstrip()
        if line == wanted:
            return position
        if line == SEARCH and wanted != _END_OF_FILE:
            return None
    return None


def _joined(lines: Sequence[str]) -> str | None:
    """Lines as a text; None for no line at all, which differs from one empty line."""
    return "\n".join(line.removesuffix("\r") for line in lines) if lines else None


def _path_above(lines: Sequence[str], at: int) -> str:
    """The path in the line above a block, of which a fence may be between them."""
    above = at - 1
    if above >= 0 and lines[above].startswith("```"):
        above -= 1
    line = lines[above].strip().strip("`*").removeprefix("###").strip().rstrip(":").strip("`") if above >= 0 else ""
    return line if line and not any(each.isspace() for each in line) and line != REPLACE else ""
