"""The patch in a sample's text. The first rule that fits is used, and is named with the verdict:

diff            the whole text is a diff, as predictions of SWE-bench are: taken as it is
search_replace  it has search/replace blocks (`tasks.patches.edits`)
whole_file      it has whole files (`tasks.patches.edits`)
diff_fence      it has fenced diffs: all of them where each is of other files, or else the last one
bare_diff       it has a diff without a fence, up to the first line that cannot be in one
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from tasks.patches import ExtractedPatch, NoPatchError
from tasks.patches.edits import SEARCH, diff_of_blocks, diff_of_files, search_replace_blocks, whole_files
from tasks.patches.unified import file_patches, is_diff

MAX_CHARACTERS = 5_000_000
"""The longest text in which a patch is looked for. The longest gold patch of SWE-bench has less than a tenth of it."""

_FENCES = ("```", "~~~")
_MAIL = re.compile(r"From [0-9a-f]{40} |Index: ")
_IN_HUNK = (" ", "+", "-", "\\", "@@ ", "diff --git ", "index ", "--- ", "+++ ")
_IN_HEADER = (
    "old mode ", "new mode ", "new file mode ", "deleted file mode ", "similarity index ", "dissimilarity index ",
    "rename from ", "rename to ", "copy from ", "copy to ", "Binary files ", "GIT binary patch",
)  # fmt: skip


def extract(text: str, files: Mapping[str, str]) -> ExtractedPatch:
    """The patch in a text, and the rule by which it was found.

    Args:
        text: what the model wrote, without what it thought before.
        files: the texts of the files that it was shown, by path.

    Raises:
        NoPatchError: it has no patch.
        InapplicableError: its edits do not fit the files.
    """
    if len(text) > MAX_CHARACTERS:
        raise NoPatchError(f"the text has more than {MAX_CHARACTERS:,} characters")
    if "\0" in text:
        raise NoPatchError("it is not text: it has a null character")
    found = _found(text, files)
    if not found.patch.strip():
        raise NoPatchError(f"the patch is empty ({found.rule})")
    return found if found.patch.endswith("\n") else ExtractedPatch(f"{found.patch}\n", found.rule)


def _found(text: str, files: Mapping[str, str]) -> ExtractedPatch:
    if not text.strip():
        raise NoPatchError("the text is empty")
    lines = text.split("\n")
    first = next(at for at, line in enumerate(lines) if line.strip())
    if _MAIL.match(lines[first]) or _begins(lines, first):
        return ExtractedPatch(text, "diff")
    if any(line.rstrip() == SEARCH for line in lines):
        return ExtractedPatch(diff_of_blocks(search_replace_blocks(text), files), "search_replace")
    if whole := whole_files(text):
        return ExtractedPatch(diff_of_files(whole, files), "whole_file")
    if fenced := [patch for patch in map(_without_prose, _fenced(lines)) if patch]:
        return ExtractedPatch(_joined(fenced), "diff_fence")
    if bare := _without_prose(lines):
        return ExtractedPatch(bare, "bare_diff")
    raise NoPatchError("the text has no diff, no search/replace block and no whole file")


def _begins(lines: Sequence[str], at: int) -> bool:
    return is_diff(lines[at], lines[at + 1] if at + 1 < len(lines) else "")


def _fenced(lines: Sequence[str]) -> Iterator[list[str]]:
    """What stands in each fence. One without an end is cut off by the end of the text."""
    inside: list[str] | None = None
    fence = ""
    for line in lines:
        if inside is None:
            mark = next((each for each in _FENCES if line.startswith(each)), None)
            if mark is not None:
                fence = line[: len(line) - len(line.lstrip(mark[0]))]
                inside = []
        elif line.startswith(fence) and not line.strip().strip(fence[0]):
            yield inside
            inside = None
        else:
            inside.append(line)
    if inside is not None:
        yield inside


def _without_prose(lines: Sequence[str]) -> str:
    """From the first line of a diff to the last line that can be in one; empty where there is no diff."""
    start = next((at for at in range(len(lines)) if _begins(lines, at)), None)
    if start is None:
        return ""
    kept: list[str] = []
    binary = False
    for at in range(start, len(lines)):
        line = lines[at]
        binary = (binary or line == "GIT binary patch") and not line.startswith("diff --git ")
        if not binary and line.strip() and not line.startswith((*_IN_HUNK, *_IN_HEADER)):
            break
        kept.append(line)
    while kept and not kept[-1].strip() and not kept[-1].startswith(" "):
        kept.pop()
    return "\n".join(kept) + "\n"


def _joined(patches: Sequence[str]) -> str:
    touched = [{path for each in file_patches(patch) for path in each} - {None} for patch in patches]
    apart = len(set().union(*touched)) == sum(map(len, touched))
    return "".join(patches) if apart else patches[-1]
