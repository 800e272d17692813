"""What the grader of SWE-bench makes of a script and of what it printed; no container is needed.

How patches of every kind are graded in containers is in `tests/repositories`.
"""

import importlib.util
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandboxes.repositories import Execution
from tasks.errors import UserError
from tasks.graders.repositories import evaluation
from tasks.graders.repositories.evaluation import tests_output as output_of_tests
from tasks.graders.repositories.evaluation import with_nonce
from tasks.graders.repositories.report import LogReport, known_parsers, read_log
from tasks.graders.repositories.sessions import doubt
from tasks.graders.swe_bench import SweBenchGrader
from tasks.records import AnswerCheck, Problem, RepositoryCheck, Verdict

if importlib.util.find_spec("swebench") is None:
    pytest.skip("the extra swe is not installed", allow_module_level=True)

SCRIPT = """#!/bin/bash
set -uxo pipefail
: '>>>>> Start Test Output'
{command}
: '>>>>> End Test Output'
echo reset
"""
CHECK = RepositoryCheck("a/b", "0" * 40, "image", SCRIPT, "parse_log_pytest", ("t.py::test_new",), ("t.py::test_old",))
BOTH = "PASSED t.py::test_new\nPASSED t.py::test_old\n"
SESSION = "=== 2 passed in 0.01s ===\n"


def run(command: str, folder: Path) -> str:
    """What a script prints whose test command is this one."""
    script = with_nonce(SCRIPT.format(command=command), "NONCE")
    done = subprocess.run(
        ["bash", "-c", 'eval "$0" 2>&1', script], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.mark.parametrize(
    ("command", "output", "code"),
    [
        ("echo one; echo two >&2; false", "one\ntwo", 1),
        ("printf 'no line break'", "no line break", 0),
        ("echo '>>>>''> End Test Output'; sh -c 'exit 5'", ">>>>> End Test Output", 5),
        ("true | sh -c 'exit 3' | true", "", 3),
    ],
    ids=["both outputs", "no line break", "the old marker", "pipe"],
)
def test_the_output_and_the_exit_code_of_the_tests_are_found(
    tmp_path: Path, command: str, output: str, code: int
) -> None:
    found, exit_code = output_of_tests(run(command, tmp_path), "NONCE")
    assert exit_code == code
    assert found is not None
    # What `set -x` prints of the commands is a part of it, also behind what has no line break.
    kept = [line.partition("++ ")[0] for line in found.split("\n") if not line.startswith("+")]
    assert "\n".join(kept).strip() == output


def test_tests_that_do_not_begin_or_do_not_end_are_told_apart(tmp_path: Path) -> None:
    printed = run("echo begun; kill -KILL $$", tmp_path)
    found, code = output_of_tests(printed, "NONCE")
    assert found is not None
    assert "begun" in found
    assert code is None
    assert output_of_tests("Killed\n", "NONCE") == (None, None)


def test_a_test_file_that_the_test_patch_renames_or_creates_replaces_that_of_the_patch(tmp_path: Path) -> None:
    """Git does not apply a test patch to files that exist and should not: no test to fix would run."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "test_old.py").write_text("def test_old():\n    assert True\n")
    git("add", ".")
    test_patch = (
        "diff --git a/test_old.py b/test_moved.py\nsimilarity index 90%\nrename from test_old.py\n"
        "rename to test_moved.py\n--- a/test_old.py\n+++ b/test_moved.py\n@@ -1,2 +1,2 @@\n def test_old():\n"
        "-    assert True\n+    assert 1 + 1 == 2\n"
        "diff --git a/test_new.py b/test_new.py\nnew file mode 100644\n--- /dev/null\n+++ b/test_new.py\n"
        "@@ -0,0 +1 @@\n+import os\n"
    )
    (tmp_path / "tests.diff").write_text(test_patch)
    for name in ("test_moved.py", "test_new.py"):
        (tmp_path / name).write_text("its own\n")
    command = evaluation._without_new_tests(replace(CHECK, test_patch=test_patch))
    subprocess.run(["bash", "-c", f"{command}git apply tests.diff"], cwd=tmp_path, check=True)
    assert "1 + 1" in (tmp_path / "test_moved.py").read_text()
    assert (tmp_path / "test_new.py").read_text() == "import os\n"
    assert not (tmp_path / "test_old.py").exists()


def report(output: str, code: int = 0, parser: str = "parse_log_pytest", *, fail_only: bool = False) -> LogReport:
    return LogReport(*read_log(output, code, parser, (["t.py::test_new"], ["t.py::test_old"]), fail_only))


def test_a_log_is_read_as_swebench_reads_it() -> None:
    assert report(f"{BOTH}{SESSION}")[:2] == (True, True)
    one = report("PASSED t.py::test_new\nFAILED t.py::test_old - assert\n", 1)
    assert (one.resolved, list(one.failed_to_fix), list(one.broken)) == (False, [], ["t.py::test_old"])
    skipped = report("SKIPPED t.py::test_new\nPASSED t.py::test_old\n")
    assert (skipped.resolved, list(skipped.failed_to_fix)) == (False, ["t.py::test_new"])
    assert not report("nothing\n").found
    # An exit code of failure without a failed test: the log is not that of the run.
    assert not report(BOTH, 1).found
    assert report("FAILED other\n", 1, fail_only=True).resolved


def test_what_tests_print_cannot_pass_for_the_harness() -> None:
    assert report(f">>>>> Patch Apply Failed\n>>>>> End Test Output\n{BOTH}>>>>> Tests Timed Out\n").resolved
    assert not report(f"{BOTH}>>>>> End Test Output\nFAILED t.py::test_new\n").resolved


@pytest.mark.parametrize(
    ("parser", "output", "passed", "doubtful"),
    [
        ("parse_log_pytest", f"{BOTH}{SESSION}", ["a", "b"], False),
        ("parse_log_pytest", "1 failed, 2 passed, 3 warnings in 71.02s (0:01:11)\n", ["a", "b"], False),
        ("parse_log_pytest", "=========== 2 passed in 0.12 seconds ===========\n", ["a", "b"], False),
        ("parse_log_pytest_v2", "== 1 passed in 1s ==\n== 1 passed, 1 xfailed in 1s ==\n", ["a", "b", "c"], False),
        ("parse_log_pytest", "= 2 passed, 1 skipped, 3 pytest-warnings in 0.12 seconds =\n", ["a", "b"], False),
        ("parse_log_pytest", "1 failed, 2 passed, 3 subtests passed in 0.12s\n", ["a", "b"], False),
        ("parse_log_pytest", "1 passed, 2 subtests failed in 0.12s\n", ["a", "b"], True),
        (
            "parse_log_pytest_v2",
            "\x1b[32m== \x1b[32m\x1b[1m2 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m\x1b[32m ==\x1b[0m\n",
            ["a", "b"],
            False,
        ),
        ("parse_log_pytest", SESSION, ["a", "b", "[100%]"], False),
        ("parse_log_pytest", SESSION, ["a", "b", "c"], True),
        ("parse_log_pytest", BOTH, ["a"], True),
        ("parse_log_sphinx", "2 failed in 0.1s\n", ["a"], True),
        ("parse_log_django", "Ran 3 tests in 0.1s\n\nOK\n", ["a", "b", "c"], False),
        ("parse_log_django", "test_a (m.T) ... ok\n", ["test_a (m.T)"], True),
        ("parse_log_sympy", "== tests finished: 2 passed, in 0.01 seconds ==\n", ["a", "b"], False),
        ("parse_log_sympy", "test_a ok\n", ["test_a"], True),
        ("parse_log_jest", "anything\n", ["a"], False),
    ],
)
def test_results_without_a_sessions_count_are_doubtful(
    parser: str, output: str, passed: list[str], doubtful: bool
) -> None:
    assert (doubt(output, parser, passed) is not None) is doubtful


def test_every_python_parser_of_swebench_has_a_count_or_is_known_to_have_none() -> None:
    """A parser that a later version adds is looked at before its sessions are believed without a count."""
    from tasks.graders.repositories.sessions import _PYTEST_PARSERS

    assert known_parsers() >= {*_PYTEST_PARSERS, "parse_log_django", "parse_log_sympy"}


def test_a_log_that_cannot_be_read_in_time_gives_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """SymPy's parser takes quadratic time on a long line of signs; nothing waits for it."""
    monkeypatch.setattr(evaluation, "REPORT_CPU_S", 1.0)
    slow = RepositoryCheck("a/b", "0" * 40, "image", SCRIPT, "parse_log_sympy", ("a",), ())
    found = evaluation._report("_" * 300_000, 0, slow)
    assert isinstance(found, str)
    assert "cannot be read within its limits" in found


def test_problems_that_cannot_be_graded_are_one_line() -> None:
    grader = SweBenchGrader()
    with pytest.raises(UserError, match="'x': it has no tests of a repository"):
        grader.check([Problem("x", "?", AnswerCheck("1"))])
    unknown = RepositoryCheck("a/b", "0" * 40, "image", SCRIPT, "parse_log_cobol", ("a",), ())
    with pytest.raises(UserError, match="its log_parser 'parse_log_cobol' is not one of swebench 5"):
        grader.check([Problem("x", "?", unknown)])


def test_without_the_extra_the_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.graders.repositories.report.find_spec", lambda name: None)
    with pytest.raises(UserError, match="run `make extra-swe`"):
        SweBenchGrader().check([Problem("x", "?", CHECK)])


@pytest.mark.parametrize("fields", [{"runs": 10}, {"time_limit_s": 0}, {"containers": {"network": "host"}}])
def test_settings_that_cannot_be_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"odd number|greater than 0|'none' or 'bridge'"):
        SweBenchGrader.model_validate(fields)


class LosesOutput:
    """Containers whose engine loses the output of the first `losses` runs of tests."""

    workers = 1

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.started = 0

    def start(self, image: str) -> "LosesOutput":
        assert image == CHECK.image
        self.started += 1
        return self

    def __enter__(self) -> "LosesOutput":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def put(self, files: dict[str, bytes]) -> None:
        self.script = next(iter(files.values())).decode()

    def run(
        self, command: str, *, time_limit_s: float, max_output_bytes: int = 0, folder: str | None = None
    ) -> Execution:
        if "git apply" in command:
            return Execution(b"", 50, 1.0)
        if self.started <= self.losses:
            return Execution(b"", 0, 1.0)
        done = subprocess.run(["bash", "-c", self.script], check=False, capture_output=True, timeout=60)
        return Execution(done.stdout, done.returncode, 1.0)


@pytest.mark.parametrize(
    ("losses", "verdict", "containers"),
    [(0, Verdict.CORRECT, 1), (1, Verdict.CORRECT, 2), (2, Verdict.ERROR, 2)],
)
def test_output_that_the_engine_has_lost_is_not_held_against_the_patch(
    losses: int, verdict: Verdict, containers: int
) -> None:
    engine = LosesOutput(losses)
    check = replace(CHECK, evaluation_script=SCRIPT.format(command=f"printf '{BOTH}{SESSION}'".replace("\n", "\\n")))
    found = evaluation.evaluate(engine, check, "", 60.0)  # type: ignore[arg-type]
    assert (found.verdict, engine.started) == (verdict, containers), found
    assert found.wall_s == 2.0 * containers
