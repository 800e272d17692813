"""SWE-bench's rows as problems: what they lack is completed, and what is malformed is one line."""

import gzip
import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.repositories.scripts import how_tested
from tasks.datasets.swe_bench import SweBenchDataset
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check
from tasks.patches.extraction import extract
from tasks.prompts import prompt
from tasks.records import Problem, RepositoryCheck, SourceFile
from tasks.store.identity import problems_digest
from tests.datasets.files import written

LITE = Path(__file__).resolve().parents[3] / "shared/data/swebench_lite"
TEST_PATCH = """diff --git a/tests/test_names.py b/tests/test_names.py
--- a/tests/test_names.py
+++ b/tests/test_names.py
@@ -1 +1,2 @@
 import names
+assert names.ONE == 1
diff --git a/tests/data.json b/tests/data.json
new file mode 100644
--- /dev/null
+++ b/tests/data.json
@@ -0,0 +1 @@
+{}
"""
PATCH = "diff --git a/names.py b/names.py\n--- a/names.py\n+++ b/names.py\n@@ -1 +1 @@\n-ONE = 2\n+ONE = 1\n"


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A row as Lite has them: without image, script and parser, and with lists as JSON in texts."""
    return {
        "instance_id": f"pallets__flask-{number}",
        "repo": "pallets/flask",
        "version": "2.3",
        "base_commit": "0123456789abcdef0123456789abcdef01234567",
        "problem_statement": "ONE is two.",
        "patch": PATCH,
        "test_patch": TEST_PATCH,
        "FAIL_TO_PASS": '["tests/test_names.py::test_one"]',
        "PASS_TO_PASS": "[]",
        **fields,
    }


def check_of(problem: Problem) -> RepositoryCheck:
    return require_check(problem, RepositoryCheck)


def loaded(folder: Path, *rows: dict[str, Any], **fields: Any) -> list[Problem]:
    return SweBenchDataset(path=written(folder / "test.jsonl", list(rows)), **fields).load()


def test_a_row_of_lite_is_completed(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, row())
    check = check_of(problem)
    assert problem.id == "pallets__flask-1"
    assert check.image == "swebench/sweb.eval.x86_64.pallets_1776_flask-1:latest"
    assert check.log_parser == "parse_log_flask"
    assert check.fail_to_pass == ("tests/test_names.py::test_one",)
    assert not check.fail_only
    assert "\n: '>>>>> Start Test Output'\npytest -rA tests/test_names.py\n: '>>>>> End Test Output'\n" in (
        check.evaluation_script
    )
    assert check.evaluation_script.count(f"git checkout {check.base_commit} tests/test_names.py\n") == 2


def test_a_row_that_has_everything_is_left_as_it_is(tmp_path: Path) -> None:
    script = ": '>>>>> Start Test Output'\nmake test\n: '>>>>> End Test Output'\n"
    complete: dict[str, Any] = {
        "image": "mine/{id}",
        "eval_script": script,
        "log_parser": "parse_log_jest",
        "eval_type": "fail_only",
    }
    check = check_of(loaded(tmp_path, row(**complete, repo="a/b", FAIL_TO_PASS=["x"], PASS_TO_PASS=["y"]))[0])
    assert (check.evaluation_script, check.log_parser, check.fail_only) == (script, "parse_log_jest", True)
    assert check.image == "mine/pallets__flask-1"
    assert (check.fail_to_pass, check.pass_to_pass) == (("x",), ("y",))


@pytest.mark.parametrize(
    ("template", "image"),
    [
        ("registry.local/{key}:v1", "registry.local/pallets_1776_flask-1:v1"),
        ("ghcr.io/someone/eval.{id}", "ghcr.io/someone/eval.pallets__flask-1"),
    ],
)
def test_image_names_follow_a_template(tmp_path: Path, template: str, image: str) -> None:
    assert check_of(loaded(tmp_path, row(image="theirs"), image=template)[0]).image == image


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"repo": "nobody"}, "repo: "),
        ({"repo": "nobody/nothing"}, "eval_script: is missing, and it is not known how version 2.3 of nobody/nothing"),
        ({"version": "99"}, "eval_script: is missing, and it is not known how version 99 of pallets/flask"),
        ({"version": None}, "eval_script: is missing"),
        ({"repo": "nobody/nothing", "eval_script": "x"}, "log_parser: is missing"),
        ({"eval_script": "make test"}, "must have the line : '>>>>> Start Test Output' once"),
        ({"FAIL_TO_PASS": "test_one"}, "FAIL_TO_PASS: is not a JSON list"),
        ({"PASS_TO_PASS": "[1]"}, "PASS_TO_PASS: is not a list of names"),
        ({"eval_type": "perhaps"}, "eval_type: "),
        ({"base_commit": "main; rm -rf /"}, "base_commit: "),
        ({"test_patch": None}, "test_patch: "),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_a_row_that_cannot_be_used_is_one_line(tmp_path: Path, fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, row(1), row(2, **fields))
    assert expected in str(caught.value)
    assert "line 2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_one_line(tmp_path: Path) -> None:
    lacking = {name: value for name, value in row().items() if name != "base_commit"}
    with pytest.raises(UserError, match="line 1: base_commit: "):
        loaded(tmp_path, lacking)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"image": "x/{name}"}, "{name} is unknown"),
        ({"format": "whole_file"}, "needs checkouts"),
        ({"files": "files.json"}, "checkouts, which is empty"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(fields: dict[str, str], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        SweBenchDataset.model_validate(fields)


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, str]:
    """A folder with a bare clone of a repository of two files, and its commit."""
    work, clone = tmp_path / "work", tmp_path / "clones/pallets__flask"
    work.mkdir()

    def git(*arguments: object) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=work).stdout.strip()

    git("init", "-q")
    (work / "names.py").write_text("ONE = 2\n")
    (work / "other.py").write_bytes(b"TWO = 2")
    (work / "bytes").write_bytes(b"\xff")
    git("add", "-A")
    git("commit", "-qm", "base")
    commit = git("rev-parse", "HEAD")
    (work / "names.py").write_text("later\n")
    git("commit", "-qam", "later")
    git("clone", "-q", "--bare", work, clone)
    return clone.parent, commit


def test_the_prompt_shows_the_files_of_the_gold_patch_at_the_commit(tmp_path: Path, clones: tuple[Path, str]) -> None:
    folder, commit = clones
    path = written(tmp_path / "test.jsonl", [row(base_commit=commit)])
    dataset = SweBenchDataset(path=path, checkouts=str(folder), format="search_replace")
    (problem,) = dataset.load()
    assert check_of(problem).files == (SourceFile("names.py", "ONE = 2\n"),)
    shown = prompt(dataset.template, problem)
    assert 'ONE is two.\n\n<file path="names.py">\nONE = 2\n</file>' in shown
    assert "<<<<<<< SEARCH" in shown
    answer = "names.py\n<<<<<<< SEARCH\nONE = 2\n=======\nONE = 1\n>>>>>>> REPLACE\n"
    assert extract(answer, {"names.py": "ONE = 2\n"}).patch.endswith("@@ -1,1 +1,1 @@\n-ONE = 2\n+ONE = 1\n")


def test_files_can_be_named_for_each_issue(tmp_path: Path, clones: tuple[Path, str]) -> None:
    folder, commit = clones
    (tmp_path / "files.json").write_text(json.dumps({"pallets__flask-1": ["other.py", "new.py"]}))
    fields = {"checkouts": str(folder), "files": str(tmp_path / "files.json")}
    (problem,) = loaded(tmp_path, row(base_commit=commit), **fields)
    assert check_of(problem).files == (SourceFile("other.py", "TWO = 2"),)
    with pytest.raises(UserError, match="has no paths for 'pallets__flask-2'"):
        loaded(tmp_path, row(2, base_commit=commit), **fields)


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path, clones: tuple[Path, str]) -> None:
    folder, commit = clones
    cases = [
        (row(base_commit="f" * 40), {}, "has no commit ffff"),
        (row(repo="psf/requests", version="2.3", base_commit=commit), {}, "has no clone of psf/requests"),
        (row(base_commit=commit, patch=None), {}, "patch: is missing"),
        (row(base_commit=commit), {"pallets__flask-1": ["bytes"]}, "not text in UTF-8"),
        (row(base_commit=commit), {"pallets__flask-1": "names.py"}, "is not an object"),
    ]
    for number, (one, files, expected) in enumerate(cases):
        fields = {"checkouts": str(folder)}
        if files:
            fields["files"] = str(tmp_path / f"{number}.json")
            Path(fields["files"]).write_text(json.dumps(files))
        with pytest.raises(UserError, match=expected):
            loaded(tmp_path, one, **fields)


def test_samples_depend_on_the_issue_and_not_on_how_it_is_tested(tmp_path: Path) -> None:
    """A registry mirror, or rows that have been completed, must not mean that samples are drawn again."""

    def digest(*, image: str | None = None, **fields: Any) -> str:
        return problems_digest(loaded(tmp_path, row(**fields), image=image))

    assert digest(image="mirror/{id}") == digest()
    assert digest(log_parser="parse_log_pytest") == digest()
    assert digest(problem_statement="ONE is three.") != digest()
    assert digest(PASS_TO_PASS='["y"]') != digest()


def test_gold_patches_are_solutions(tmp_path: Path) -> None:
    path = written(tmp_path / "test.jsonl", [row(1), row(2, patch=None)])
    (only,) = SweBenchDataset(path=path).solutions()
    assert (only.problem_id, only.correct) == ("pallets__flask-1", True)
    assert extract(only.text, {}) == (PATCH, "diff")


def test_django_tests_are_named_as_modules() -> None:
    test_patch = TEST_PATCH.replace("tests/test_names", "tests/forms_tests/field_tests/test_urlfield")
    found = how_tested("django/django", "4.1", "0" * 40, test_patch)
    assert found is not None
    assert "--parallel 1 forms_tests.field_tests.test_urlfield\n" in found.script


def test_the_scripts_of_real_rows_are_those_of_swebench_4() -> None:
    """The hash is of what `make_eval_script_list` of swebench 4.1.0 gave for the 43 rows at hand."""
    if not LITE.is_dir():
        pytest.skip(f"rows of SWE-bench Lite are not at {LITE}")
    hashes = []
    for path in (LITE / "dev_23.jsonl.gz", LITE / "test_first20.jsonl.gz"):
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        problems = SweBenchDataset(path=str(path)).load()
        assert [problem.id for problem in problems] == [each["instance_id"] for each in rows]
        hashes += [hashlib.sha256(check_of(each).evaluation_script.encode()).hexdigest()[:16] for each in problems]
        assert all(check_of(each).fail_to_pass for each in problems)
        for one in rows:
            assert extract(one["patch"], {}).rule == "diff"
    assert hashlib.sha256("".join(hashes).encode()).hexdigest()[:16] == "8eab48718d9053d7"


def test_a_check_without_a_test_to_fix_is_empty(tmp_path: Path) -> None:
    check = check_of(loaded(tmp_path, row())[0])
    assert not check.is_empty
    assert replace(check, fail_to_pass=()).is_empty
    assert replace(check, evaluation_script=" ").is_empty
