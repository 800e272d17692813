"""Proofs that are known to be right and to be wrong: hand-made ones over simple theorems, and mutations of them.

A wrong proof is wrong by construction: its statement is false (a bound changed, a hypothesis dropped, a wrong number),
or a step that it cannot do without is missing, misplaced or another.
"""

from typing import NamedTuple

from tasks.records import TheoremCheck

LIA = "Require Import Lia."
LISTS = "Require Import List Arith.\nImport ListNotations."


class Case(NamedTuple):
    """A theorem, a sample, and whether that proves it."""

    theorem: TheoremCheck
    text: str
    right: bool


def _theorem(header: str, statement: str) -> TheoremCheck:
    return TheoremCheck("rocq", header, "goal", f"Theorem goal : {statement}.")


LOGIC = [
    (
        "forall p q r : Prop, (p -> q) -> (q -> r) -> p -> r",
        "intros p q r f g h.",
        ["apply g.", "apply f.", "exact h."],
    ),
    ("forall p q : Prop, p /\\ q -> q /\\ p", "intros p q [hp hq].", ["split.", "- exact hq.", "- exact hp."]),
    (
        "forall p q : Prop, p \\/ q -> q \\/ p",
        "intros p q h.",
        ["destruct h.", "- right. exact H.", "- left. exact H."],
    ),
    ("forall p q : Prop, p -> ~ p -> q", "intros p q h n.", ["destruct n.", "exact h."]),
    ("forall (A : Type) (x y : A), x = y -> y = x", "intros A x y h.", ["symmetry.", "exact h."]),
    ("forall b : bool, negb (negb b) = b", "intros b.", ["destruct b.", "- reflexivity.", "- reflexivity."]),
    (
        "forall b : bool, b = true \\/ b = false",
        "intros b.",
        ["destruct b.", "- left. reflexivity.", "- right. reflexivity."],
    ),
    ("exists n : nat, n + 2 = 5", "", ["exists 3.", "reflexivity."]),
    ("forall n : nat, n + 0 = n", "induction n.", ["- reflexivity.", "- simpl. rewrite IHn. reflexivity."]),
    (
        "forall n m : nat, n + S m = S (n + m)",
        "intros n m. induction n.",
        ["- reflexivity.", "- simpl. rewrite IHn. reflexivity."],
    ),
]
"""A statement, the opening of its proof, and the steps that each are needed."""


def _logic() -> list[Case]:
    cases = []
    for statement, opening, steps in LOGIC:
        theorem = _theorem("", statement)
        whole = " ".join([opening, *steps])
        forms = [
            *(whole, f"Proof.\n{whole}\nQed.", f"```coq\n{whole}\nDefined.\n```", f"(* a. proof *) {whole}"),
            *(f"{theorem.statement}\nProof.\n{whole}\nQed.", f"idtac. {whole}", f"{{ {whole} }}"),
            whole.replace(". ", ".\n"),
        ]
        cases += [Case(theorem, text, True) for text in forms]
        # A step left out, done twice, given up, or out of order.
        cases += [Case(theorem, " ".join([opening, *steps[:at], *steps[at + 1 :]]), False) for at in range(len(steps))]
        cases.append(Case(theorem, f"{whole} reflexivity.", False))
        cases.append(Case(theorem, " ".join([opening, *steps[:-1], "admit."]), False))
        cases.append(Case(theorem, " ".join([opening, *steps[:-1]]) + " Admitted.", False))
        cases.append(Case(theorem, f"+ {whole.replace('- ', '+ ')} - idtac.", False))
        cases.append(Case(theorem, f"{whole} Qed. Theorem other : True.", False))
        cases.append(Case(theorem, f"{opening} unknown_tactic. {' '.join(steps)}", False))
        cases.append(Case(theorem, f"{opening} exact missing_lemma.", False))
    return cases


def _numbers() -> list[Case]:
    cases = []
    for number in range(2, 22):
        more, less = number + 3, number - 1
        by_lia = [
            (f"forall n : nat, n < {number} -> n <= {more}", f"forall n : nat, n < {more} -> n < {number}"),
            (f"forall x y : nat, x + y = {number} -> x <= {number}", f"forall x y : nat, x <= {number}"),
            (f"forall x : nat, {number} * x = {number} -> x = 1", f"forall x : nat, {number} * x = 0 -> x = 1"),
        ]
        for true, false in by_lia:
            cases.append(Case(_theorem(LIA, true), "intros. lia.", True))
            cases.append(Case(_theorem(LIA, false), "intros. lia.", False))
        cases.append(Case(_theorem("", f"{number} + 1 = {number + 1}"), "reflexivity.", True))
        cases.append(Case(_theorem("", f"{number} + 1 = {less}"), "reflexivity.", False))
        exists = _theorem("", f"exists n : nat, n + {less} = {more}")
        cases.append(Case(exists, "exists 4. reflexivity.", True))
        cases.append(Case(exists, f"exists {number + 4}. reflexivity.", False))
        listed = "; ".join(str(each) for each in range(number))
        cases.append(Case(_theorem(LISTS, f"length [{listed}] = {number}"), "simpl. reflexivity.", True))
        cases.append(Case(_theorem(LISTS, f"length [{listed}] = {less}"), "simpl. reflexivity.", False))
    return cases


CASES = sorted(dict.fromkeys([*_logic(), *_numbers()]), key=lambda case: case.theorem.header)
