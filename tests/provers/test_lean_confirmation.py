"""The second tier of Lean on its own, with the real Lean."""

import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.provers import Attempt, ProverFailedError, TheoremFaultError, UnplaceableError
from tasks.provers.lean import LeanProver
from tasks.provers.lean4.axioms import AXIOMS, reported
from tasks.provers.lean4.confirmation import Rules, confirm, confirm_text
from tasks.provers.lean4.imports import require_only_scopes, with_imports
from tasks.provers.lean4.installation import Installation, installation
from tasks.provers.lean4.placing import place
from tasks.records import TheoremCheck, Verdict

HEADER = "prelude\nimport MiniTactics"
RULES = Rules(1024, AXIOMS["standard"])
EQUAL = TheoremCheck("lean", HEADER, "equal", "theorem equal {α : Sort u} (x : α) : Eq x x := by")
RIGHT = "exact Eq.refl x"


def confirmed(lean: Installation, text: str) -> Attempt:
    return confirm_text(f"{HEADER}\n\n{text}\n", place(RIGHT, EQUAL), lean, 5.0, RULES)


def test_a_right_proof_is_confirmed(lean: Installation) -> None:
    assert confirm(place(RIGHT, EQUAL), lean, 5.0, RULES).verdict is Verdict.CORRECT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("theorem equal {α : Type} (x : α) : Eq x x := Eq.refl x", "it proves something else"),
        ("theorem equal {α : Type u} (x : α) : Eq x x := Eq.refl x", "it proves something else"),
        ("theorem equal {α : Prop} (x : α) : Eq x x := Eq.refl x", "it proves something else"),
        ("theorem equal (x : Nat) : Eq x x := Eq.refl x", "it proves something else"),
        ("theorem other {α : Sort u} (x : α) : Eq x x := Eq.refl x", "it proves something else"),
        ("theorem equal {α : Sort u} (x : α) : Eq x x := oracle _", "it rests on oracle"),
    ],
)
def test_another_theorem_is_not_the_statement(lean: Installation, text: str, why: str) -> None:
    attempt = confirmed(lean, text)
    assert attempt.verdict is Verdict.WRONG, attempt
    assert why in attempt.detail


def test_a_theorem_for_more_universes_proves_the_statement(lean: Installation) -> None:
    theorem = TheoremCheck("lean", HEADER, "equal", "theorem equal {α : Type} (x : α) : Eq x x := by")
    text = f"{HEADER}\n\ntheorem equal {{α : Sort u}} (x : α) : Eq x x := Eq.refl x\n"
    assert confirm_text(text, place(RIGHT, theorem), lean, 5.0, RULES).verdict is Verdict.CORRECT


def test_a_statement_that_does_not_load_is_the_theorems_fault(lean: Installation) -> None:
    theorem = TheoremCheck("lean", HEADER, "t", "theorem t : absent := by")
    with pytest.raises(TheoremFaultError, match="absent"):
        confirm_text(f"{HEADER}\n\ntheorem t : True := True.intro\n", place("exact x", theorem), lean, 5.0, RULES)


def checker(folder: Path, status_of_proof: int, status_of_statement: int) -> Path:
    """A checker that ends with these."""
    program = folder / "own_checker"
    lines = [
        f"#!{getattr(sys, '_base_executable', sys.executable)}",
        "import os, pathlib, sys",
        f"status = {{'MonkeysProof': {status_of_proof}, 'MonkeysStatement': {status_of_statement}}}",
        "(module,) = sys.argv[1:]",
        "folders = [pathlib.Path(each) for each in os.environ['LEAN_PATH'].split(':')]",
        "assert any((each / f'{module}.olean').exists() for each in folders)",
        "sys.exit(status[module])",
    ]
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("status", "verdict"), [(0, Verdict.CORRECT), (1, Verdict.WRONG)])
def test_an_independent_checker_has_the_last_word(
    lean_program: str, lean_project: str, tmp_path: Path, status: int, verdict: Verdict
) -> None:
    named = installation(lean_program, Path(lean_project), str(checker(tmp_path, status, 0)))
    attempt = confirm(place(RIGHT, EQUAL), named, 5.0, RULES)
    assert attempt.verdict is verdict, attempt
    assert verdict is Verdict.CORRECT or "own_checker refuses it" in attempt.detail


def test_a_checker_that_refuses_everything_gives_no_verdict(
    lean_program: str, lean_project: str, tmp_path: Path
) -> None:
    named = installation(lean_program, Path(lean_project), str(checker(tmp_path, 1, 1)))
    with pytest.raises(ProverFailedError, match="does not even accept the compiled statement"):
        confirm(place(RIGHT, EQUAL), named, 5.0, RULES)


def test_the_checker_that_is_named_is_part_of_the_verdict_set(
    lean_program: str, lean_project: str, tmp_path: Path
) -> None:
    named = LeanProver(program=lean_program, project=Path(lean_project), checker=str(checker(tmp_path, 0, 0)))
    assert named.ingredients()["checker"] == "own_checker"
    assert named.description().endswith("independent checker own_checker")
    with pytest.raises(UserError, match=r"prover\.checker: there is no program 'absent'"):
        LeanProver(program=lean_program, checker="absent").check()


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", "import A\nimport B\n"),
        ("import Mathlib\nimport Aesop\nopen Real", "import Mathlib\nimport Aesop\nimport A\nimport B\n\nopen Real"),
        ("prelude\nimport Mini", "prelude\nimport Mini\nimport A\nimport B\n"),
        (
            "-- import X\nimport Mathlib -- why\nopen A",
            "-- import X\nimport Mathlib\nimport A\nimport B\n -- why\nopen A",
        ),
        ("open Real", "\nimport A\nimport B\nopen Real"),
        ("public import Mathlib\nsection", "public import Mathlib\nimport A\nimport B\n\nsection"),
    ],
)
def test_modules_are_imported_after_those_of_the_header(header: str, wanted: str) -> None:
    assert with_imports(header, "A", "B").strip() == wanted.strip()


def test_a_header_may_change_scopes_and_declare_nothing() -> None:
    require_only_scopes(
        "import Mathlib\nset_option maxHeartbeats 400000\nopen BigOperators Real Nat Topology\nnamespace Foo\n"
        "variable (x : Nat)\nattribute [local instance] Classical.propDecidable\n/-- doc -/"
    )
    for header in (
        "def f := 1",
        'local notation "x" => 1',
        "axiom a : False",
        "instance : Foo := x",
        "lemma a : b := c",
    ):
        with pytest.raises(UnplaceableError, match="its header has"):
            require_only_scopes(header)


def test_reports_of_axioms_are_read() -> None:
    assert reported("'t' does not depend on any axioms") == []
    assert reported("'t' depends on axioms: [propext, Classical.choice,\n Quot.sound]") == [
        *("propext", "Classical.choice", "Quot.sound"),
    ]
    assert reported("'t' depends on axioms: propext") is None
    assert reported("something else") is None
