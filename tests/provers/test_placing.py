import pytest

from tasks.provers import UnplaceableError
from tasks.provers.vernacular.placing import MAX_CHARACTERS, header_and_statement, place
from tasks.provers.vernacular.sentences import sentences
from tasks.records import TheoremCheck

THEOREM = TheoremCheck("rocq", "Require Import Lia.", "foo", "Theorem foo : 1 + 1 = 2.")


@pytest.mark.parametrize(
    "text",
    [
        "reflexivity.",
        "Proof. reflexivity. Qed.",
        "Proof.\n  reflexivity.\nDefined.\n(* done *)",
        "Proof using. reflexivity. Qed.",
        "It is so:\n```coq\nProof. reflexivity. Qed.\n```\nDone. All.",
        "```rocq\nRequire Import Reals.\nTheorem  foo :\n 1 + 1 = 2.\nProof. reflexivity. Qed.\n```",
        "```\nProof. reflexivity. Qed.\n```",
        "(* Axiom x : False. *) reflexivity.",
        "Lemma foo:1+1=2. Proof. reflexivity. Qed.",
        "```coq\nTheorem goal : 1 + 1 = 2.\nProof. reflexivity. Qed.\n```",
        "reflexivity.\nQed.\n```",
        "reflexivity.\nQed.\n```\nThis computes both sides.",
        "```coq\nreflexivity.\n```\nIt prints:\n```\n```",
        "Theorem foo : 1 + 1 = 2. Proof. lia. Abort. Theorem foo : 1 + 1 = 2. Proof. reflexivity. Qed.",
    ],
)
def test_what_surrounds_the_body_is_left_out(text: str) -> None:
    proof = place(text, THEOREM)
    assert proof.pieces == ("Require Import Lia.", "Theorem foo : 1 + 1 = 2.", "Proof.", "reflexivity.", "Qed.")


@pytest.mark.parametrize(
    "body",
    [
        "1: lia.",
        "all: lia.",
        "1-2, 3: lia.",
        "[> lia].",
        "(lia).",
        "Z.nzsimpl.",
        "A.B.c1 x.",
        "- lia.",
        "{ lia. }",
        "2: { lia. }",
    ],
)
def test_tactics_bullets_braces_and_selectors_are_placed(body: str) -> None:
    assert " ".join(place(body, THEOREM).proof[1:-1]) == body


def test_proof_with_keeps_its_tactic() -> None:
    assert place("Proof with auto. lia... Qed.", THEOREM).proof == ("Proof with auto.", "lia...", "Qed.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lia. Qed. Axiom x : False.", "more follows after `Qed`"),
        ("lia. Defined. Lemma y : True.", "more follows after `Defined`"),
        ("Admitted.", "`Admitted` does not end a proof"),
        ("lia. Abort.", "`Abort` does not end a proof"),
        ("Save bar.", "`Save bar` does not end a proof"),
        ("Qed exporting.", "does not end a proof"),
        ("Proof (eq_refl 2).", "`Proof` with a term"),
        ("Proof with Admitted. lia.", "`Admitted` is a command"),
        ("all: Show.", "`all"),
        ("1: Axiom x : False.", "not a tactic"),
        ("#[local] Axiom x : False.", "not a tactic"),
        ("A.B x.", "`A` is a command"),
        ("We prove it by computation.", "`We` is a command"),
        ("lia", "the last sentence has no end"),
        ("", "there is no proof"),
        ("Proof. Qed.", "there is no proof"),
        ("idtac.(* c *) Print nat. reflexivity.", "a comment stands right after a period"),
        ("reflexivity...(* c *) This is ) garbage.", "a comment stands right after a period"),
        ("Proof with lia.(* c *) Print nat. reflexivity.", "a comment stands right after a period"),
        ("par: reflexivity.", "`all:` does the same"),
        ("Unshelve nat.", "`Unshelve` is a command"),
        ("x" * (MAX_CHARACTERS + 1), "characters"),
        ("Theorem foo : 1 + 1 = 3. Proof. reflexivity. Qed.", "`Theorem` is a command"),
    ],
)
def test_a_text_that_is_not_a_body_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnplaceableError, match=why):
        place(text, THEOREM)


COMMANDS = """Section Module Import Export Require From Notation Infix Set Unset Declare Load Redirect Extraction Add
Axiom Parameter Hypothesis Variable Context Definition Lemma Ltac Ltac2 Tactic Program Obligation Obligations Next Fail
Time Timeout Drop Quit Cd Pwd Print Check Search Show Undo Restart Focus Unfocus Back BackTo Reset Open Close Bind
Delimit Arguments Hint Instance Existing Canonical Coercion Opaque Transparent Strategy Register Comments Grab End
Reserved Universe Constraint Guarded Test Remove Proof"""


@pytest.mark.parametrize("command", COMMANDS.split())
def test_no_command_is_placed(command: str) -> None:
    for before in ("", "- ", "{ ", "all: ", "2: { ", "(* c *)"):
        with pytest.raises(UnplaceableError):
            place(f"lia. {before}{command} x. lia.", THEOREM)


@pytest.mark.parametrize(
    ("theorem", "why"),
    [
        (TheoremCheck("rocq", "", "foo", "Theorem bar : True."), "does not begin with"),
        (TheoremCheck("rocq", "", "foo", "Axiom foo : True."), "does not begin with"),
        (TheoremCheck("rocq", "", "foo", "Theorem foo : True. Proof."), "2 sentences"),
        (TheoremCheck("rocq", "", "foo", "Theorem foo : True"), "cannot be read"),
        (TheoremCheck("rocq", "Axiom x : False.", "foo", "Theorem foo : True."), "its header has Axiom"),
        (TheoremCheck("rocq", "Local Parameter x : nat.", "foo", "Theorem foo : True."), "its header has Parameter"),
        (TheoremCheck("rocq", "Local Inductive t := c.", "foo", "Theorem foo : True."), "its header has Inductive"),
        (TheoremCheck("rocq", "Module M.", "foo", "Theorem foo : True."), "a module that is not closed"),
        (TheoremCheck("rocq", "Lemma x : False. Admitted.", "foo", "Theorem foo : True."), "its header has Admitted"),
    ],
)
def test_a_theorem_that_cannot_be_confirmed_is_refused(theorem: TheoremCheck, why: str) -> None:
    with pytest.raises(UnplaceableError, match=why):
        header_and_statement(theorem)


def test_every_placed_proof_is_cut_into_the_same_sentences_as_one_text() -> None:
    for text in (
        "- lia.",
        "{ lia. }",
        'idtac "a.(* b *) c".',
        "x (* a *) .",
        "lia. (* a *)\n(* b *) lia.",
        "[> lia | ].",
    ):
        proof = place(text, THEOREM)
        assert sentences("\n".join(proof.pieces)) == list(proof.pieces)


def test_a_definition_by_an_opaque_proof_is_refused_in_a_header() -> None:
    header = "Definition small : {n : nat | n < 3}. Proof. exists 1. auto. Qed."
    with pytest.raises(UnplaceableError, match="ends in Qed"):
        header_and_statement(TheoremCheck("rocq", header, "foo", "Theorem foo : small = small."))
    for header in ("Local Open Scope nat_scope. Lemma a : True. Proof. exact I. Qed.", "Definition d := 1."):
        header_and_statement(TheoremCheck("rocq", header, "foo", "Theorem foo : 1 = 1."))
