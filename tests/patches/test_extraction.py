"""The patch in a sample's text, and by which rule it is found."""

import contextlib
import random
import subprocess
import time
from pathlib import Path

import pytest

from tasks.patches import InapplicableError, NoPatchError
from tasks.patches.extraction import MAX_CHARACTERS, extract

FILES = {
    "pkg/names.py": "import os\n\n\ndef greet():\n    return 'hello'\n\n\ndef leave():\n    return 'bye'",
    "pkg/dos.py": "one\r\ntwo\r\nthree\r\n",
    "twice.py": "x = 1\ny = 2\nx = 1\n",
}
DIFF = "--- a/twice.py\n+++ b/twice.py\n@@ -1,3 +1,3 @@\n x = 1\n-y = 2\n+y = 3\n x = 1\n"
BETTER = DIFF.replace("y = 3", "y = 4")
OTHER = "diff --git a/other.py b/other.py\nnew file mode 100644\n--- /dev/null\n+++ b/other.py\n@@ -0,0 +1 @@\n+z = 1\n"


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def applied(patch: str, folder: Path) -> dict[str, str]:
    """The files after Git has applied a patch to them."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(text.encode())
    command = ["git", "-C", str(folder), "-c", "core.autocrlf=false", "apply", "-"]
    subprocess.run(command, input=patch.encode(), check=True)
    files = (file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts)
    return {str(file.relative_to(folder)): file.read_bytes().decode() for file in files}


@pytest.mark.parametrize(
    ("text", "rule", "patch"),
    [
        (DIFF, "diff", DIFF),
        (f"\n{OTHER}", "diff", f"\n{OTHER}"),
        (DIFF.rstrip("\n"), "diff", DIFF),
        (f"This is it:\n\n```diff\n{DIFF}```\nDone.", "diff_fence", DIFF),
        (f"````\n{DIFF}````", "diff_fence", DIFF),
        (f"~~~patch\n{DIFF}~~~", "diff_fence", DIFF),
        (f"Use it.\n```diff\n{DIFF}", "diff_fence", DIFF),
        (f"```python\nx = 1\n```\nfirst\n```diff\n{DIFF}```\nsecond\n```diff\n{OTHER}```", "diff_fence", DIFF + OTHER),
        (f"```diff\n{DIFF}```\nNo, rather\n```diff\n{BETTER}```", "diff_fence", BETTER),
        (f"My answer is\n{DIFF}\nIt sets y.", "bare_diff", DIFF),
    ],
    ids=["diff", "after a blank line", "no final line break", "fence", "longer fence", "tildes", "open fence",
         "two files", "changed its mind", "bare"],
)  # fmt: skip
def test_a_diff_is_found_and_the_rule_named(text: str, rule: str, patch: str) -> None:
    assert extract(text, FILES) == (patch, rule)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the text is empty"),
        (" \n", "the text is empty"),
        ("I do not know.", "no diff, no search/replace"),
        ("From the issue I conclude nothing.", "no diff"),
        ("```python\nx = 1\n```", "no diff"),
        ("x.py\n<<<<<<< SEARCH\na\n", "block 1 has no ======= line"),
        ("x.py\n<<<<<<< SEARCH\na\n=======\nb\n", "block 1 has no >>>>>>> REPLACE line"),
        (block("two words", "a\n", "b\n"), "no path above it"),
        ('<file path="x.py">\nx = 1\n', "no </file> line"),
        (f'<file path="twice.py">\n{FILES["twice.py"]}</file>', "the patch is empty"),
        (f"{DIFF}\0", "null character"),
        ("x" * (MAX_CHARACTERS + 1), "more than"),
    ],
    ids=["empty", "blank", "prose", "prose like a mail", "code", "no middle", "no end", "no path", "open file",
         "no change", "null", "long"],
)  # fmt: skip
def test_a_text_without_a_patch_says_why(text: str, expected: str) -> None:
    with pytest.raises(NoPatchError, match=expected):
        extract(text, FILES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block("pkg/names.py", "def absent():\n", "x\n"), "lines that are not in"),
        (block("pkg/names.py", "    return\n", "x\n"), "lines that are not in"),
        (block("twice.py", "x = 1\n", "x = 2\n"), "occur several times"),
        (block("unknown.py", "x = 1\n", "x = 2\n"), "was not shown"),
        (block("twice.py", "", "x = 2\n"), "searches for nothing"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(text: str, expected: str) -> None:
    with pytest.raises(InapplicableError, match=expected):
        extract(text, FILES)


def test_search_replace_blocks_become_a_diff_that_git_applies(tmp_path: Path) -> None:
    text = "\n".join([
        "First, a new name:",
        "### `pkg/names.py`",
        "```python",
        block("", "def greet():\n    return 'hello'\n", "def greet(name):\n    return f'hello {name}'\n").lstrip("\n"),
        "```",
        block("pkg/names.py", "def leave():\n    return 'bye'\n", "def leave():\n    return 'goodbye'\n"),
        block("pkg/dos.py", "two\n", "zwei\ndrei\n"),
        block("twice.py", "y = 2\n", ""),
        block("new.py", "", "first\n"),
    ])  # fmt: skip
    found = extract(text, FILES)
    assert found.rule == "search_replace"
    changed = FILES["pkg/names.py"].replace("greet()", "greet(name)").replace("'hello'", "f'hello {name}'")
    assert applied(found.patch, tmp_path) == {
        "pkg/names.py": changed.replace("bye", "goodbye"),
        "pkg/dos.py": "one\r\nzwei\r\ndrei\r\nthree\r\n",
        "twice.py": "x = 1\nx = 1\n",
        "new.py": "first\n",
    }


def test_whole_files_become_a_diff_that_git_applies(tmp_path: Path) -> None:
    dos = '<file path="pkg/dos.py">\none\n2\nthree\n</file>'
    found = extract(f'Here:\n{dos}\n<file path="twice.py">\n</file>\n<file path="empty.py">\n</file>', FILES)
    assert found.rule == "whole_file"
    after = {**FILES, "pkg/dos.py": "one\r\n2\r\nthree\r\n", "twice.py": "", "empty.py": ""}
    assert applied(found.patch, tmp_path) == after


def test_the_diff_of_any_two_texts_gives_the_second_one(tmp_path: Path) -> None:
    chance = random.Random(0)
    for number in range(60):
        lines = [chance.choice(("a", "b", "", "- c", "+ d", "\\ e")) + "\n" for _ in range(chance.randrange(9))]
        kept = lines[: chance.randrange(len(lines) + 1)]
        after = "".join([*kept, *chance.choices(("x\n", "a\n", "\n"), k=chance.randrange(3)), *lines[len(kept) + 1 :]])
        before = "".join(lines)
        if chance.random() < 0.5:
            before = before.removesuffix("\n")
        if before == after:
            continue
        found = extract(f'<file path="f.txt">\n{after}</file>', {"f.txt": before})
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "f.txt").write_text(before)
        subprocess.run(["git", "init", "-q", folder], check=True)
        subprocess.run(["git", "-C", folder, "apply", "-"], input=found.patch.encode(), check=True)
        assert (folder / "f.txt").read_text() == after


def test_many_blocks_that_fit_a_large_file_are_refused_before_they_are_applied() -> None:
    """Each of them goes through the whole file: 4,000 took 9 seconds."""
    files = {"large.py": "".join(f"x{number} = {number}\n" for number in range(40_000))}
    blocks = [block("large.py", f"x{number} = {number}\n", "pass\n") for number in range(4_000)]
    with pytest.raises(InapplicableError, match="it has 4,000 search/replace blocks; at most 1,000 are applied"):
        extract("".join(blocks), files)
    assert extract("".join(blocks[:50]), files).patch.count("+pass\n") == 50


def test_hostile_texts_take_linear_time() -> None:
    parts = (
        "```\n",
        "<<<<<<< SEARCH\n",
        '<file path="x">\n',
        "--- a\n+++ b\n",
        "```diff\n--- a\n+++ b\n```\n",
        "=======\n",
        "x\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n",
    )
    for part in parts:
        started = time.process_time()
        with contextlib.suppress(NoPatchError, InapplicableError):
            extract("x\n" + part * (300_000 // len(part)), FILES)
        assert time.process_time() - started < 20, part
