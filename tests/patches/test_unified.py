"""What a unified diff touches."""

import subprocess
import time
from pathlib import Path

import pytest

from tasks.patches import InapplicableError
from tasks.patches.unified import FilePatch, check_paths, file_patches

HUNK = "@@ -1 +1 @@\n-a\n+b\n"


@pytest.mark.parametrize(
    ("patch", "files"),
    [
        (f"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n{HUNK}", [("x.py", "x.py")]),
        (f"--- a/x.py\t2024-01-01\n+++ b/x.py\t2024-01-02\n{HUNK}", [("x.py", "x.py")]),
        (f"--- a/x.py\n+++ b/x.py\n{HUNK}--- a/y.py\n+++ b/y.py\n{HUNK}", [("x.py", "x.py"), ("y.py", "y.py")]),
        ("diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n", [(None, "n")]),
        ("diff --git a/n b/n\nnew file mode 100644\nindex 0000000..e69de29\n", [(None, "n")]),
        ("diff --git a/o b/o\ndeleted file mode 100644\n--- a/o\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", [("o", None)]),
        ("diff --git a/o b/n\nsimilarity index 100%\nrename from o\nrename to n\n", [("o", "n")]),
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", [("x", "x")]),
        ('diff --git "a/\\303\\274.py" "b/\\303\\274.py"\n--- "a/\\303\\274.py"\n+++ "b/\\303\\274.py"\n' + HUNK,
         [("ü.py", "ü.py")]),
        ("no diff at all", []),
    ],
    ids=["git", "plain", "two plain", "new", "new and empty", "deleted", "renamed", "mode", "quoted", "none"],
)  # fmt: skip
def test_the_files_of_a_diff_are_those_of_its_headers(patch: str, files: list[tuple[str | None, str | None]]) -> None:
    assert file_patches(patch) == [FilePatch(*each) for each in files]


def test_lines_in_a_hunk_that_look_like_headers_are_not_headers() -> None:
    removed = "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- old comment\n-x\n+++ new\n+y\n"
    assert file_patches(removed) == [FilePatch("x.sql", "x.sql")]


def test_the_files_are_those_that_git_finds(tmp_path: Path) -> None:
    """Changes of every kind, as Git itself writes them."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for name, text in {
        "changed": "a\n",
        "gone": "b\n",
        "moved": "c\n" * 9,
        "with space": "d\n",
        "bytes": "e\0",
    }.items():
        (tmp_path / name).write_text(text)
    git("add", "-A")
    git("commit", "-qm", "base")
    (tmp_path / "changed").write_text("-- a\n++ b\n")
    (tmp_path / "gone").unlink()
    (tmp_path / "moved").rename(tmp_path / "moved here")
    (tmp_path / "with space").write_text("d")
    (tmp_path / "bytes").write_bytes(b"\0\1")
    (tmp_path / "new").write_text("\n")
    git("add", "-A")
    patch = git("diff", "--cached", "--binary", "-M")
    expected = {
        FilePatch("changed", "changed"),
        FilePatch("gone", None),
        FilePatch("moved", "moved here"),
        FilePatch("with space", "with space"),
        FilePatch("bytes", "bytes"),
        FilePatch(None, "new"),
    }
    assert set(file_patches(patch)) == expected


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", ".git/hooks/pre-commit", "a/.GIT/config", ".git /config"]
)
def test_a_path_outside_of_the_working_tree_is_refused(path: str) -> None:
    for patch in (f"--- a/x\n+++ b/{path}\n{HUNK}", f"diff --git a/x b/x\nrename from x\nrename to {path}\n"):
        with pytest.raises(InapplicableError, match="it names"):
            check_paths(patch)
    check_paths(f"--- a/.gitignore\n+++ b/.github/x..y\n{HUNK}")


def test_hostile_diffs_take_linear_time() -> None:
    for part in (
        "diff --git a/ b/",
        "@@ -1 +1 @@\n",
        "--- a/x\n+++ b/x\n",
        'rename from "\\303',
        "@@ -999999999 +1 @@\n",
    ):
        started = time.process_time()
        file_patches(part * (2_000_000 // len(part)))
        assert time.process_time() - started < 20
