"""miniF2F: statements are split by their tokens, names stay hidden, versions and defects are known by hashes."""

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monkeys.testing import check_dataset
from tasks.datasets.formal import known, lean, rocq
from tasks.datasets.formal.known import defect, digest, version_of, versions
from tasks.datasets.formal.statement import Statement
from tasks.datasets.minif2f import MiniF2FDataset
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check
from tasks.prompts import prompt
from tasks.provers.lean import LeanProver
from tasks.provers.rocq import RocqProver
from tasks.records import Problem, TheoremCheck
from tests.datasets.files import written
from tests.provers.conftest import rocq as rocq_installed  # noqa: F401 - a fixture

SHARED = Path(__file__).parents[3] / "shared" / "data"

ROCQ = """Require Import Reals. (* "reals." (* nested. *) *)
Open Scope R_scope.
Notation "a ; b . c" := (a + b + c) (at level 60).
Definition half := 1 / 2.

(* A hard. one *)
Theorem mathd_algebra_7 (x : R) (h\u2080 : x = 1.) :
  x + x = 2.

Proof.
Admitted.
"""
LEAN = {
    "id": "mathd_algebra_7",
    "split": "test",
    "header": "import Mathlib\n\nopen Nat\n",
    "formal_statement": (
        "theorem mathd_algebra_7\n  (x : \u2115) -- theorem by :=\n  (h\u2080 : x = 1) :\n  x + x = 2 := sorry"
    ),
}


def load(path: Path, rows: list[dict[str, Any]], **settings: Any) -> list[Problem]:
    return MiniF2FDataset(path=written(path / "test.jsonl", rows), **settings).load()


def test_a_rocq_file_is_split_into_header_name_and_statement(tmp_path: Path) -> None:
    (problem,) = load(tmp_path, [{"name": "mathd_algebra_7", "text": ROCQ}])
    check = require_check(problem, TheoremCheck)
    header, _, _ = ROCQ.partition("\nTheorem")
    assert check == TheoremCheck(
        "rocq",
        f"Require Import Psatz.\n{header}",
        "mathd_algebra_7",
        "Theorem mathd_algebra_7 (x : R) (h\u2080 : x = 1.) :\n  x + x = 2.",
    )
    assert problem.question == f"{check.header}\n\nTheorem goal (x : R) (h\u2080 : x = 1.) :\n  x + x = 2."
    assert prompt("theorems", problem).endswith("x + x = 2.\nProof.\n")


def test_a_proof_that_repeats_the_statement_as_the_prompt_shows_it_is_placed(tmp_path: Path) -> None:
    for prover, row, ending in (
        ("rocq", {"name": "mathd_algebra_7", "text": ROCQ}, "\nProof. lra. Qed."),
        ("lean", LEAN, "\n  linarith"),
    ):
        (problem,) = load(tmp_path, [row], prover=prover)
        place = {"rocq": RocqProver, "lean": LeanProver}[prover]().place
        theorem = require_check(problem, TheoremCheck)
        assert place(f"```\n{problem.question}{ending}\n```", theorem) == place(ending, theorem)


@pytest.mark.usefixtures("rocq_installed")
@pytest.mark.parametrize("imports", ["", "Psatz", "Psatz Lia"])
def test_the_dataset_keeps_its_promises(tmp_path: Path, imports: str) -> None:
    text = "Require Import Arith.\nTheorem t : 1 + 1 = 2.\nProof.\nAdmitted."
    path = written(tmp_path / "test.jsonl", [{"name": "t", "text": text}])
    check_dataset(MiniF2FDataset(path=path, imports=imports))


def test_no_module_is_imported_where_none_is_asked_for(tmp_path: Path) -> None:
    (problem,) = load(tmp_path, [{"name": "t", "text": "Theorem t : 1 = 1."}], imports="")
    assert require_check(problem, TheoremCheck).header == ""
    assert problem.question == "\n\nTheorem goal : 1 = 1."


@pytest.mark.parametrize("ending", [" := sorry", " := by", " := by sorry", " :=", " := by -- to do\n  sorry\n"])
def test_a_lean_statement_ends_in_by_however_it_is_left_open(tmp_path: Path, ending: str) -> None:
    row = {**LEAN, "formal_statement": LEAN["formal_statement"].removesuffix(" := sorry") + ending}
    (problem,) = load(tmp_path, [row], prover="lean")
    check = require_check(problem, TheoremCheck)
    assert (check.header, check.name) == ("import Mathlib\n\nopen Nat", "mathd_algebra_7")
    assert check.statement.startswith("theorem mathd_algebra_7\n")
    assert check.statement.endswith("x + x = 2 := by")
    assert "mathd" not in problem.question
    assert "theorem goal\n" in problem.question


def test_the_papers_prompt_hides_the_name_and_keeps_the_keyword(tmp_path: Path) -> None:
    dataset = MiniF2FDataset(path=written(tmp_path / "test.jsonl", [LEAN]), prover="lean", prompt="paper")
    (problem,) = dataset.load()
    text = prompt(dataset.template, problem)
    assert text.endswith(
        "open Nat\ntheorem theorem6\n  (x : \u2115) -- theorem by :=\n  (h\u2080 : x = 1) :\n  x + x = 2 :=\nby (\n"
    )
    assert [f"theorem theorem{n}\n" in text for n in range(1, 8)] == [True] * 6 + [False]
    assert text.count("Write a lean4 proof") == 5
    assert dataset.max_tokens == 200
    assert "Write a lean4" in dataset.stop


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Theorem t : 1 = 1", "no final dot"),
        ('Theorem t : "1 = 1.', "a string does not end"),
        ("(* (* *) Theorem t : 1 = 1.", "a comment does not end"),
        ("Definition d := 1.", "does not end in a theorem"),
        ("", "has no theorem"),
        ("Theorem a : 1 = 1. Proof. Admitted. Theorem b : 1 = 1.", "more than one statement"),
        ("Axiom a : 1 = 2. Theorem b : 1 = 2.", "more than one statement"),
    ],
)
def test_a_rocq_text_that_is_not_one_statement_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as error:
        load(tmp_path, [{"name": "t", "text": text}])
    assert "test.jsonl, line 1: text: " in str(error.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("theorem t : 1 = 1", "does not end in"),
        ("theorem t : 1 = 1 := rfl", "does not end in"),
        ("def d := 1", "has 0 theorems"),
        ("theorem a : 1 = 1 := by sorry\ntheorem b : 1 = 1 := by", "has 2 theorems"),
        ("/- /- -/ theorem t : 1 = 1 := by", "a comment does not end"),
        ('theorem t : "a = 1 := by', "a string does not end"),
        ("theorem := by", "does not end in"),
        ("by", "has 0 theorems"),
    ],
)
def test_a_lean_text_that_is_not_one_statement_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load(tmp_path, [{"name": "t", "formal_statement": text}], prover="lean")


@pytest.mark.parametrize(
    ("rows", "settings", "why"),
    [
        ([{"name": "other", "text": "Theorem t : 1 = 1."}], {}, "is other, and the theorem's is t"),
        ([{"name": "t", "text": "Theorem t : 1 = 1."}] * 2, {}, "t is there twice"),
        ([{"name": "t"}], {}, "is missing"),
        ([LEAN], {"prover": "lean", "subset": "mathd"}, "mathd is 130 theorems of the test split; .* has 1"),
        ([LEAN], {"prover": "lean", "split": "valid"}, "has no theorems of the valid split"),
    ],
)
def test_rows_that_cannot_be_the_dataset_are_refused(tmp_path: Path, rows, settings, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load(tmp_path, rows, **settings)


@pytest.mark.parametrize(
    "settings",
    [{"prompt": "paper"}, {"subset": "mathd", "split": "valid"}, {"imports": "Psatz. Axiom a : False"}],
)
def test_settings_that_contradict_one_another_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MiniF2FDataset(**settings)


def test_a_folder_of_rocq_files_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "test").mkdir(exist_ok=True)
        (tmp_path / "test" / f"{name}.v").write_text(f"Theorem {name} : 1 = 1.\nProof.\n", encoding="utf-8")
    assert [each.id for each in MiniF2FDataset(path=str(tmp_path)).load()] == ["minif2f/a", "minif2f/b"]
    (tmp_path / "test" / "c.v").write_text("Theorem c", encoding="utf-8")
    with pytest.raises(UserError, match=r"c\.v, file 3: text: the last sentence has no final dot"):
        MiniF2FDataset(path=str(tmp_path)).load()


def test_a_statement_with_other_whitespace_is_the_same_and_one_with_another_number_is_not() -> None:
    one = rocq.statement(ROCQ)
    assert digest(rocq.statement(ROCQ.replace("\n  x + x", " x + x"))) == digest(one)
    assert digest(rocq.statement(ROCQ.replace("= 2", "= 3"))) != digest(one)


def test_versions_are_told_apart_and_defects_belong_to_one_version(
    monkeypatch: pytest.MonkeyPatch, caplog, tmp_path: Path
) -> None:
    good, bad = (Statement("", f"Theorem {name} : 1 = 1.", name, 8) for name in ("a", "b"))
    version = known.Version("somewhere", {each.name: digest(each) for each in (good, bad)}, {"b": "is vacuous"})
    monkeypatch.setattr(known, "versions", lambda system: (version,))
    assert version_of("rocq", [good, bad]) == "the statements are those of somewhere"
    repaired = bad._replace(text="Theorem b : 2 = 2.")
    assert version_of("rocq", [good, repaired]) == "1 of 2 statements are those of somewhere, not b"
    assert [defect("rocq", each) for each in (good, bad, repaired)] == [None, "is vacuous", None]
    rows = [{"name": each.name, "text": each.text} for each in (good, bad)]
    with caplog.at_level(logging.WARNING):
        assert len(load(tmp_path, rows)) == 2
    assert "1 of the 2 statements are known to be defective; `exclude: defective` leaves them out" in caplog.text
    assert [each.id for each in load(tmp_path, rows, exclude="defective")] == ["minif2f/a"]


@pytest.mark.parametrize(("system", "count", "defective"), [("rocq", 244, 6), ("lean", 488, 6)])
def test_the_known_versions_are_whole(system: str, count: int, defective: int) -> None:
    (version,) = versions(system)
    assert len(version.statements) == count
    assert len(version.defects) == defective
    assert version.defects.keys() <= version.statements.keys()
    assert sum("mathd" in name for name in version.statements) == (130 if system == "rocq" else 260)


@pytest.mark.parametrize(
    ("file", "settings", "count", "left"),
    [
        ("rocq/minif2f_rocq_test_244.jsonl.gz", {"prover": "rocq"}, 244, 238),
        ("rocq/minif2f_rocq_test_244.jsonl.gz", {"prover": "rocq", "subset": "mathd"}, 130, 129),
        ("minif2f/minif2f_lean4_488.jsonl.gz", {"prover": "lean"}, 244, 238),
        ("minif2f/minif2f_lean4_488.jsonl.gz", {"prover": "lean", "split": "valid"}, 244, 244),
        ("minif2f/minif2f_lean4_488.jsonl.gz", {"prover": "lean", "subset": "mathd", "prompt": "paper"}, 130, 127),
    ],
)
def test_the_real_statements_are_all_read_and_none_shows_its_name(file, settings, count, left, caplog) -> None:
    path = SHARED / file
    if not path.exists():
        pytest.skip("the real statements are not here")
    with caplog.at_level(logging.INFO):
        problems = MiniF2FDataset(path=str(path), **settings).load()
    assert len(problems) == count
    assert "the statements are those of" in caplog.text
    for problem in problems:
        check = require_check(problem, TheoremCheck)
        assert check.name not in problem.question
    assert len(MiniF2FDataset(path=str(path), exclude="defective", **settings).load()) == left


def test_every_real_lean_statement_ends_where_its_proof_begins() -> None:
    path = SHARED / "minif2f/minif2f_lean4_488.jsonl.gz"
    if not path.exists():
        pytest.skip("the real statements are not here")
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        found = lean.statement(row["header"], row["formal_statement"])
        assert found.text == row["formal_statement"].rstrip()
        assert found.header == row["header"].strip()
        assert found.renamed(found.name) == found.text
