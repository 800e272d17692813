"""Headers that define something: proof and statement share their definitions through a compiled library."""

import pytest

from tasks.provers import TheoremFaultError
from tasks.provers.coq.confirmation import AXIOMS, Rules, confirm, confirm_text
from tasks.provers.coq.header import compiled, divided
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.session import RocqSession
from tasks.provers.vernacular.placing import header_and_statement, is_shared, place
from tasks.records import TheoremCheck, Verdict

RULES = Rules(400, AXIOMS["none"], loading_s=5.0)
POWER = "Fixpoint power n := match n with O => 1 | S m => power m + power m end.\n"
COLOUR = (
    "Require Import List.\nInductive colour := red | green.\nRecord pair := { left : colour; right : colour }.\n"
    "Class Named (A : Type) := { size : A -> nat }.\n"
    "Definition swap p := {| left := right p; right := left p |}.\n"
    "Instance named : Named colour := { size c := 7 }.\n"
    'Notation "! p" := (swap p) (at level 5).\n'
)


def theorem(header: str, claim: str) -> TheoremCheck:
    return TheoremCheck("rocq", header, "t", f"Theorem t : {claim}.")


@pytest.mark.parametrize(
    ("header", "claim", "proof"),
    [
        # Compared by computing, this would take 2^40 steps.
        (POWER, "forall n, n = power 40 -> power 40 = n", "intros n h. symmetry. exact h."),
        (POWER, "power 4 = 16", "reflexivity."),
        (COLOUR, "forall p, !(!p) = p", "intros [l r]. reflexivity."),
        (COLOUR, "forall c, c = red \\/ c = green", "intros []; auto."),
        (COLOUR, "size red = 7", "reflexivity."),
        # The later of two definitions of a name is meant, also where an import is between them.
        (
            "Definition length := 3.\nRequire Import List.\nImport List.",
            "forall l : list nat, length l = length l",
            "auto.",
        ),
        ("Require Import List.\nImport List.\nDefinition length := 3.", "length = 3", "reflexivity."),
        ("Require Import ZArith.\nOpen Scope Z_scope.\nDefinition two := 2.", "two + -2 = 0", "reflexivity."),
        ("Set Implicit Arguments.\nDefinition same (A : Type) (x : A) := x.", "same 1 = 1", "reflexivity."),
        ("Local Definition one := 1.", "one = 1", "reflexivity."),
        ("Module M.\nDefinition two := 2.\nEnd M.", "M.two = 2", "reflexivity."),
        ("Module M.\nModule N.\nInductive t := c.\nEnd N.\nEnd M.\nImport M.", "forall x, x = N.c", "intros []. auto."),
        ("Module Import M.\nDefinition two := 2.\nEnd M.\nDefinition four := two + two.", "four = 4", "reflexivity."),
        ("Module Export M.\nDefinition two := 2.\nEnd M.\nModule N := M.", "two = N.two", "reflexivity."),
        (
            "Module Type T.\nEnd T.\nModule F (X : T).\nDefinition two := 2.\nEnd F.\nModule E <: T.\nEnd E.\n"
            "Module G := F E.",
            "G.two = 2",
            "reflexivity.",
        ),
        (
            "Lemma one : {n | n = 1}.\nProof. exists 1. reflexivity. Qed.\nDefinition first := proj1_sig one.",
            "first = proj1_sig one",
            "reflexivity.",
        ),
        (
            "Definition one := 1.\nLemma is_one : one = 1.\nProof. - reflexivity. Qed.\nHint Resolve is_one : core.",
            "one = 1",
            "auto with nocore core.",
        ),
    ],
)
def test_a_proof_about_the_headers_definitions_is_confirmed(
    rocq: Installation, header: str, claim: str, proof: str
) -> None:
    placed = place(proof, theorem(header, claim))
    session = RocqSession(workers=1, cpu_s=2.0, memory_mb=400, proofs_per_process=1000)
    assert session.propose(placed).verdict is Verdict.CORRECT
    session.close()
    made = confirm(placed, rocq, 2.0, RULES)
    assert made.verdict is Verdict.CORRECT, made


def test_a_proof_in_another_language_of_tactics_is_confirmed(rocq: Installation) -> None:
    placed = place("reflexivity.", theorem("From Ltac2 Require Import Ltac2.", "1 + 1 = 2"))
    made = confirm(placed, rocq, 2.0, RULES)
    assert made.verdict is Verdict.CORRECT, made


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("Definition power (n : nat) := 0.\nTheorem t : power 4 = 0. Proof. reflexivity. Qed.", "something else"),
        ("Module MonkeysHeader. Module Monkeys_1. Definition power (n : nat) := 0. End Monkeys_1. End MonkeysHeader.\n"
         "Import MonkeysHeader.Monkeys_1. Theorem t : power 4 = 0. Proof. reflexivity. Qed.", "something else"),
        ("Require Import MonkeysHeader. Import Monkeys_1. Axiom a : power 4 = 0. Theorem t : power 4 = 0."
         " Proof. exact a. Qed.", "rests on"),
    ],
)  # fmt: skip
def test_a_file_that_redefines_what_the_header_defines_is_refused(rocq: Installation, text: str, detail: str) -> None:
    target = place("reflexivity.", theorem(POWER, "power 4 = 0"))
    made = confirm_text(text, target, rocq, 2.0, RULES)
    assert made.verdict is Verdict.WRONG, made
    assert detail in made.detail


def test_a_proof_cannot_write_to_the_library(rocq: Installation) -> None:
    target = place("reflexivity.", theorem(POWER, "power 4 = 0"))
    text = 'Redirect "MonkeysHeader.vo" Print nat.\nTheorem t : 4 = 4. Proof. reflexivity. Qed.'
    assert confirm_text(text, target, rocq, 2.0, RULES).verdict is Verdict.WRONG
    again = place("reflexivity.", theorem(POWER, "power 4 = 16"))
    assert confirm(again, rocq, 2.0, RULES).verdict is Verdict.CORRECT


def test_a_header_without_definitions_has_no_library() -> None:
    header = ("Require Import Lia.", "Open Scope nat_scope.", 'Notation "x !" := (S x) (at level 2).')
    assert divided(header) == (None, header)


def test_a_library_that_does_not_compile_is_a_fault_of_the_theorem(rocq: Installation) -> None:
    with pytest.raises(TheoremFaultError, match="absent"):
        compiled("Definition d := absent.\n", rocq, 400)


@pytest.mark.parametrize(
    ("sentence", "shared"),
    [
        ("Definition d := 1.", True),
        ("Definition d (x : nat := 3) : nat.", False),
        ('Definition d : s ":=".', False),
        ("Fixpoint f (n : nat) {struct n} := 0.", True),
        ("Record r := { a : nat }.", True),
        ("Inductive t : Set.", False),
        ("Local Inductive t := c.", False),
        ("Program Definition d := 1.", False),
        ("#[local] Definition d := 1.", False),
        ("Notation a := 1.", False),
    ],
)
def test_a_definition_with_a_body_is_shared(sentence: str, shared: bool) -> None:
    assert is_shared(sentence) is shared


def test_a_type_that_could_not_be_shared_is_refused_in_a_header() -> None:
    header_and_statement(theorem("Inductive t := c.", "c = c"))
    with pytest.raises(ValueError, match="its header has Inductive"):
        header_and_statement(theorem("Local Inductive t := c.", "c = c"))
