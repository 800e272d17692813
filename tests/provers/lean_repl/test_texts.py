import re

import pytest

from tasks.provers import PlacedProof, UnplaceableError
from tasks.provers.lean4.axioms import AXIOMS
from tasks.provers.lean_repl.replies import Message, Reply
from tasks.provers.lean_repl.texts import (
    PROBE,
    Mark,
    check_theorem,
    confirmation_text,
    confirmed,
    header_text,
    new_mark,
    theorem_text,
)
from tasks.records import TheoremCheck, Verdict

MARK = Mark("monkeys_0")
STANDARD = AXIOMS["standard"]


def reply(*texts: str, severity: str = "info") -> Reply:
    return Reply(tuple(Message(severity, text, 1) for text in texts), 0, 1)


@pytest.mark.parametrize(
    ("statement", "signature"),
    [
        ("theorem t : 1 = 1 := by", " : 1 = 1"),
        ("lemma t (a b : ℝ)\n  (h : a = b) :\n  b = a := by", " (a b : ℝ)\n  (h : a = b) :\n  b = a"),
        ("theorem t.{u} {α : Type u} (x : α) : x = x := by", ".{u} {α : Type u} (x : α) : x = x"),
        ("theorem t (x : Nat := by exact 0) : x = x := by", " (x : Nat := by exact 0) : x = x"),
        ("theorem t(x : Nat) : x = x :=", "(x : Nat) : x = x"),
    ],
)
def test_a_statement_is_restated_as_an_axiom_with_a_new_name(statement: str, signature: str):
    axiom, theorem, listing = (
        f"axiom monkeys_0_statement{signature}",
        "theorem monkeys_0_proof : type_of% @monkeys_0_statement := @t",
        "#print axioms monkeys_0_proof",
    )
    assert confirmation_text(statement, "t", MARK) == f"{axiom}\n{theorem}\n{listing}"


@pytest.mark.parametrize(
    "statement", ["theorem tt : p := by", "def t : p := by", "theorem t : p", "theorem", "theorem t"]
)
def test_a_statement_of_another_form_cannot_be_restated(statement: str):
    with pytest.raises(UnplaceableError):
        confirmation_text(statement, "t", MARK)


def test_a_theorem_for_another_prover_is_refused():
    check_theorem(PROBE.theorem)
    with pytest.raises(UnplaceableError, match="is for rocq"):
        check_theorem(TheoremCheck("rocq", "", "t", "Theorem t : True."))


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("import Mathlib\nopen Real", "import Mathlib\nopen Real"),
        ("import Mathlib\n\n/-- Doc /- nested -/ -/", "import Mathlib"),
        ("import Mathlib\n/- a comment -/", "import Mathlib\n/- a comment -/"),
        ("/-- Only this -/", ""),
        ("", ""),
    ],
)
def test_a_header_is_whole_without_the_comment_that_documents_the_theorem(header: str, text: str):
    assert header_text((header,)) == text


def test_marks_are_never_repeated_and_end_the_text():
    marks = {new_mark().name for _ in range(1000)}
    assert len(marks) == 1000
    assert all(re.fullmatch(r"monkeys_[0-9a-f]{32}", name) for name in marks)
    assert theorem_text(PlacedProof((), "t", "theorem t : p := by", ("  simp",))) == "theorem t : p := by\n  simp"


def test_a_reply_has_its_mark_exactly_once_and_as_an_error():
    unknown = Message("error", "Unknown identifier `monkeys_0`", 9)
    other = Message("warning", "unused", 1)
    assert MARK.removed(Reply((other, unknown), 0, 1)) == Reply((other,), 0, 1)
    assert MARK.removed(Reply((unknown, other), 0, 1)) == Reply((other,), 0, 1)
    for messages in ((), (other,), (unknown, unknown), (unknown._replace(severity="info"),)):
        assert MARK.removed(Reply(messages, 0, 1)) is None


@pytest.mark.parametrize(
    ("text", "correct"),
    [
        ("'monkeys_0_proof' does not depend on any axioms", True),
        ("'monkeys_0_proof' depends on axioms: [propext, Classical.choice, Quot.sound]", True),
        ("'monkeys_0_proof' depends on axioms: [propext,\n Classical.choice,\n Quot.sound]", True),
        ("'monkeys_0_proof' depends on axioms: [propext, sorryAx]", False),
        ("'monkeys_0_proof' depends on axioms: [Lean.ofReduceBool]", False),
        ("'monkeys_0_proof' depends on axioms: [cheat]", False),
        ("'monkeys_0_proof' depends on axioms: []", False),
        ("'monkeys_1_proof' does not depend on any axioms", False),
        ("forged: 'monkeys_0_proof' does not depend on any axioms", False),
        ("'monkeys_0_proof' depends on axioms: [propext] [sorryAx]", False),
        ("", False),
    ],
)
def test_a_proof_is_confirmed_only_by_its_own_list_of_allowed_axioms(text: str, correct: bool):
    made = confirmed(reply("'t' does not depend on any axioms", text), MARK, STANDARD)
    assert (made.verdict is Verdict.CORRECT) == correct
    assert made.verdict in {Verdict.CORRECT, Verdict.WRONG}


def test_no_axiom_is_allowed_where_none_is():
    listed = reply("'monkeys_0_proof' depends on axioms: [propext]")
    assert confirmed(listed, MARK, AXIOMS["none"]).detail == "not confirmed: it rests on propext"


def test_a_list_of_axioms_in_a_warning_or_next_to_an_error_confirms_nothing():
    fine = "'monkeys_0_proof' does not depend on any axioms"
    assert confirmed(reply(fine, severity="warning"), MARK, STANDARD).verdict is Verdict.WRONG
    both = reply(fine)._replace(messages=(*reply(fine).messages, Message("error", "type mismatch", 1)))
    assert confirmed(both, MARK, STANDARD).detail == "not confirmed: type mismatch"
    assert confirmed(reply(fine)._replace(sorries=1), MARK, STANDARD).verdict is Verdict.WRONG
