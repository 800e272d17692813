"""Samples with patches of every kind, with the verdict that each must get."""

import re
from pathlib import Path

from tasks.records import Verdict
from tests.repositories.instances import DJANGO_LIKE, FIXED, FORMS_FIXED, TEXTKIT, TEXTS, Files

SPOOF = "\n".join(
    f"PASSED {name}" for name in (*TEXTKIT.fail_to_pass, *TEXTKIT.pass_to_pass)
)  # fmt: skip
HEADER = '"""Words of a text."""\n'


def at_import(code: str, words: str = TEXTS["textkit/words.py"]) -> Files:
    """The repository with code that runs when its module is imported."""
    return {"textkit/words.py": words.replace(HEADER, f"{HEADER}{code}\n")}


def patches_of_texts(folder: Path) -> dict[str, tuple[str, Verdict, str]]:
    """Samples for the issue of `TEXTKIT` by name, with their verdict and what its detail has."""

    def patch(after: Files | None = None, removed: str = "") -> str:
        return TEXTKIT.patch(folder, after, removed)

    gold = patch()
    fixed = {"textkit/words.py": FIXED}
    context = gold.replace(" def longest(text):", " def longest_word(text):").replace("@@ -2,7", "@@ -4,7")
    assert context != gold
    new_tests = {path: re.sub("assert .*", "assert True", text) for path, text in TEXTKIT.tests.items()}
    plugin = "def pytest_runtest_call(item):\n    item.obj = lambda: None\n\n\npytest_runtest_call.tryfirst = True\n"
    right, wrong, error = Verdict.CORRECT, Verdict.WRONG, Verdict.ERROR
    # pytest captures what its own process prints, so it is printed where the script prints.
    out = "import os\nout = os.open(f'/proc/{os.getppid()}/fd/1', os.O_WRONLY)\n"
    printed = f"{out}os.write(out, b'''\\n{SPOOF}\\n"
    print_and_end = f"{printed}''')\nos._exit(0)"
    fd_1 = f"{printed}>>>>> End Test Output\\n''')"
    summary = f"{printed}== 2 passed in 0.01s ==\\n''')\nos._exit(0)"
    by_module = {"textkit/words.py": FIXED.replace("text.split()", "split(text)").replace(
        "\n\ndef words", "from textkit.split import split\n\n\ndef words", 1),
        "textkit/split.py": "def split(text):\n    return text.split()\n"}  # fmt: skip
    link = "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+README\n" \
        "\\ No newline at end of file\n"  # fmt: skip
    misfit = "diff --git a/README b/README\n--- a/README\n+++ b/README\n@@ -1,2 +1,2 @@\n-Sentences.\n+Words.\n x\n"
    renamed = patch({"textkit/word.py": TEXTS["textkit/words.py"]}, "textkit/words.py")
    deselect = "def pytest_collection_modifyitems(items):\n    items[:] = []\n"
    skip = "import pytest\n\n\ndef pytest_runtest_setup(item):\n    pytest.skip()\n"
    return {
        "gold": (gold, right, "resolved [diff]"),
        "gold in a fence": (f"So:\n```diff\n{gold}```\n", right, "resolved [diff_fence]"),
        "gold without its last line break": (gold.rstrip("\n"), right, "resolved"),
        "another fix": (patch({"textkit/words.py": FIXED.replace("text.split()", "[w for w in text.split(' ') if w]")}),
                        right, "resolved"),
        "a fix, a rename and a new file": (patch({**fixed, "READ.ME": TEXTS["README"], "a": "x"}, "README"), right,
                                           "resolved"),
        "a fix of a file with CRLF": (patch({**fixed, "README": "Words.\r\nOf a text.\r\n"}), right, "resolved"),
        "a fix and bytes": (patch({**fixed, "data.bin": "\0\1\2\xff"}), right, "resolved"),
        "a fix and another mode": (f"diff --git a/README b/README\nold mode 100644\nnew mode 100755\n{gold}", right,
                                   "resolved"),
        "lines that are nearby": (context, right, "(applied by patch --batch --forward --fuzz=5 -p1 -i)"),
        "CRLF in the patch": (gold.replace("\n", "\r\n"), right, "applied by patch"),
        "all files deleted but the fix": (patch(fixed, "setup.cfg"), right, "resolved"),
        "nothing": ("", Verdict.NO_ANSWER, "the text is empty"),
        "no patch": ("I do not know.", Verdict.NO_ANSWER, "no diff"),
        "an empty fence": ("```diff\n```", Verdict.NO_ANSWER, "no diff"),
        "a wrong fix": (patch({"textkit/words.py": FIXED.replace("text.split()", "text.split() or ['']")}), wrong,
                        "unresolved: 1 of 3 tests to fix fail"),
        "a fix that breaks another": (patch({"textkit/words.py": FIXED.replace("key=len", "key=str")}), wrong,
                                      "unresolved: 1 of 2 tests that passed fail"),
        "a syntax error": (patch({"textkit/words.py": "def words(:\n"}), wrong, "unresolved: 3 of 3 tests to fix fail"),
        "the tests deleted": (patch({}, "tests/test_words.py"), wrong, "unresolved: 3 of 3"),
        "its own tests": (patch({"textkit/words.py": FIXED.replace("len(words(text))", "7"), **new_tests}), wrong,
                          "unresolved: 2 of 3"),
        "other lines": (gold.replace("split", "splot").replace('"""', "'''"), error, "does not apply: patch failed"),
        "an unknown file": (gold.replace("textkit/words.py", "textkit/absent.py"), error, "does not apply:"),
        "cut off": (gold[: len(gold) // 2], error, "does not apply: corrupt patch"),
        "Git's own folder": ("--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n", error, "which is Git's own"),
        "outside": ("--- /dev/null\n+++ b/../root/x\n@@ -0,0 +1 @@\n+x\n", error, "outside the repository"),
        "PASSED is printed, and the process ends": (patch(at_import(print_and_end)), error,
                                                    "results not believed: 5 tests are said to have passed, and no"),
        "a session of two tests is printed": (patch(at_import(summary)), error, "results not believed"),
        "PASSED and the end are printed": (patch(at_import(fd_1)), wrong, "unresolved: 3 of 3"),
        "the process ends well": (patch(at_import("import os\nos._exit(0)")), error, "no test results: none found"),
        "the script is killed": (patch(at_import("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")), error,
                                 "no test results: the tests did not end"),
        "everything is killed": (patch(at_import("import os, signal\nos.kill(-1, signal.SIGKILL)")), error,
                                 "no test results: the tests did not end"),
        "the tests hang": (patch(at_import("import time\ntime.sleep(1000)")), Verdict.TIME_LIMIT, "its tests ran"),
        "all memory": (patch(at_import("x = bytearray(1 << 30)")), Verdict.MEMORY_LIMIT, "memory"),
        "a fix of a file that ends without a line break": (patch({"textkit/words.py": FIXED.rstrip("\n")}), right,
                                                           "resolved"),
        "a fix in a new module": (patch(by_module), right, "resolved"),
        "a fix and a name with spaces and quotes": (patch({**fixed, 'a "b" \u00e9.txt': "\u00e9\n"}), right,
                                                    "resolved"),
        "a fix and a symbolic link": (f"{link}{gold}", right, "resolved"),
        "a fix and the tests deleted": (patch(fixed, "tests/test_words.py"), right, "resolved"),
        "a hunk with other line numbers": (re.sub(r"@@ -(\d+),", r"@@ -10\1,", gold), right, "resolved"),
        "another mode alone": ("diff --git a/README b/README\nold mode 100644\nnew mode 100755\n", wrong, "3 of 3"),
        "the module renamed": (renamed, wrong, "unresolved: 3 of 3"),
        "a fix, and a hunk that does not fit": (f"{gold}{misfit}", error, "does not apply: patch failed: README"),
        "paths without a prefix": (gold.replace(" a/", " ").replace(" b/", " "), error, "does not apply:"),
        "the fix twice": (gold + gold, right, "(applied by git apply --verbose --3way)"),
        "conftest deselects all tests": (patch({"conftest.py": deselect}), error, "no test results: none found"),
        "conftest skips all tests": (patch({"conftest.py": skip}), error, "no test results: none found"),
        "conftest ends pytest": (patch({"conftest.py": "import pytest\npytest.exit('x', 0)\n"}), error,
                                 "no test results: none found"),
        "only names of tests are listed": (patch({"setup.cfg": "[tool:pytest]\naddopts = --collect-only\n"}), error,
                                           "no test results: none found"),
        "pytest is killed": (patch(at_import("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")), error,
                             "no test results: none found"),
        "pytest is killed after PASSED": (patch(at_import(f"{printed}''')\nos.kill(os.getpid(), 9)")), error,
                                          "no test results: none found"),
        # Whoever changes the runner can change what it says; SWE-bench does not see it, either.
        "a plugin passes all tests": (patch({"conftest.py": plugin}), right, "resolved"),
    }  # fmt: skip


def patches_of_forms(folder: Path) -> dict[str, tuple[str, Verdict, str]]:
    """As `patches_of_texts`, for the issue of `DJANGO_LIKE`, whose runner prints its results while tests run."""
    said = "".join(f"{name} ... ok\n" for name in (*DJANGO_LIKE.fail_to_pass, *DJANGO_LIKE.pass_to_pass))

    def printed(code: str) -> str:
        text = f"import os, sys\nsys.stderr.write({said!r})\nsys.stderr.flush()\n{code}\n"
        return DJANGO_LIKE.patch(folder, {"forms/fields.py": text})

    half = FORMS_FIXED.replace(" if value.strip() else None", "")
    return {
        "gold": (DJANGO_LIKE.patch(folder), Verdict.CORRECT, "resolved"),
        "another file": (DJANGO_LIKE.patch(folder, {"note.txt": "x\n"}), Verdict.WRONG, "2 of 2"),
        "half a fix": (DJANGO_LIKE.patch(folder, {"forms/fields.py": half}), Verdict.WRONG, "1 of 2"),
        "ok is printed, and the process ends": (printed("os._exit(0)"), Verdict.ERROR, "results not believed"),
        "ok is printed, and the runner fails": (
            printed("raise SystemExit(3)"),
            Verdict.ERROR,
            "no test results: none found",
        ),
    }
