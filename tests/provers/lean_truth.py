"""Proofs in Lean that are known to be right and to be wrong, over the library of these tests (`lean/Mini.lean`):
hand-made ones, and mutations of them.

A wrong proof is wrong by construction: its statement is false (a bound changed, a hypothesis dropped, another
conclusion), a step that it cannot do without is missing, misplaced or another, a goal is left to `sorry`, or it rests
on an axiom that is not allowed.
"""

from typing import NamedTuple

from tasks.records import TheoremCheck

HEADER = "prelude\nimport MiniTactics"


class Case(NamedTuple):
    """A theorem, a sample, and whether that proves it."""

    theorem: TheoremCheck
    text: str
    right: bool


class Proof(NamedTuple):
    """A statement in its parts, and steps that are all needed. Dropping one of `hypotheses` makes the steps fail, as
    does `false` in place of the conclusion."""

    variables: str
    hypotheses: tuple[str, ...]
    conclusion: str
    false: str
    steps: tuple[str, ...]


PROOFS = [
    Proof("(p q : Prop)", ("(hp : p)", "(hq : q)"), "And p q", "And q p", ("constructor", "exact hp", "exact hq")),
    Proof(
        "(p q : Prop)",
        ("(h : And p q)",),
        "And q p",
        "And q False",
        ("cases h", "constructor", "assumption", "assumption"),
    ),
    Proof(
        "(p q r : Prop)", ("(f : p → q)", "(g : q → r)"), "p → r", "r → p", ("intro h", "apply g", "apply f", "exact h")
    ),
    Proof("(p q : Prop)", ("(hp : p)",), "Or p q", "Or q q", ("apply Or.inl", "exact hp")),
    Proof("(p q : Prop)", ("(hq : q)",), "Or p q", "Or p p", ("apply Or.inr", "exact hq")),
    Proof(
        "(p q : Prop)",
        ("(n : p → False)", "(f : q → p)"),
        "q → False",
        "p → q",
        ("intro h", "apply n", "apply f", "exact h"),
    ),
    Proof(
        "(p : Prop)",
        ("(n : p → False)",),
        "Or p p → False",
        "Or p True → False",
        ("intro h", "cases h", "· apply n; assumption", "· apply n; assumption"),
    ),
    Proof(
        "(α : Type) (x y : α)",
        ("(h : Eq x y)",),
        "Eq y x",
        "Eq y x → False",
        ("apply Eq.ndrec (motive := fun z => Eq z x) (Eq.refl x)", "exact h"),
    ),
    Proof(
        "(α : Type) (x y z : α)",
        ("(h : Eq x y)", "(g : Eq y z)"),
        "Eq x z",
        "Eq x z → False",
        ("apply Eq.ndrec (motive := fun w => Eq x w) h", "exact g"),
    ),
    Proof(
        "(p q r : Prop)",
        ("(hp : p)", "(hq : q)", "(hr : r)"),
        "And p (And q r)",
        "And p (And r q)",
        ("constructor", "· exact hp", "· constructor; exact hq; exact hr"),
    ),
    Proof(
        "(p q : Prop)",
        ("(f : p → q)", "(g : q → p)"),
        "Eq p q",
        "Eq p p → False",
        ("apply propext", "exact f", "exact g"),
    ),
]


def _theorem(*parts: str, conclusion: str) -> TheoremCheck:
    signature = " ".join(part for part in ("theorem goal", *parts) if part)
    return TheoremCheck("lean", HEADER, "goal", f"{signature} : {conclusion} := by")


def _logic() -> list[Case]:
    cases = []
    for variables, hypotheses, conclusion, false, steps in PROOFS:
        theorem = _theorem(variables, *hypotheses, conclusion=conclusion)
        whole = "\n".join(steps)
        indented = "\n".join(f"  {step}" for step in steps)
        forms = [
            *(whole, indented, f"```lean\n{indented}\n```", f"-- a comment: sorry\n{whole}", f"skip\n{whole}"),
            *(f"{theorem.statement}\n{indented}", f"```lean4\n{theorem.statement}\n{indented}\n```"),
            *("\n\n".join(steps), "\n".join([*steps[:-1], f"({steps[-1]})"])),
            theorem.statement.replace(" goal ", " theorem_6 ") + f"\n{indented}",
        ]
        cases += [Case(theorem, text, True) for text in forms]
        # A step left out, a goal that is not there, a goal given up, an axiom, what does not exist.
        for at in range(len(steps)):
            cases.append(Case(theorem, "\n".join([*steps[:at], *steps[at + 1 :]]), False))
        for last in ("sorry", "exact sorry", "admit", "exact oracle _", "exact Mini.propext _", "exact missing_lemma"):
            cases.append(Case(theorem, "\n".join([*steps[:-1], last]), False))
        cases.append(Case(theorem, f"{whole}\nexact True.intro", False))
        cases.append(Case(theorem, f"unknown_tactic\n{whole}", False))
        cases.append(Case(theorem, f"{whole}\n    skip", False))
        cases.append(Case(theorem, "\n".join([*(f"· {step}" for step in steps), "· skip"]), False))
        cases.append(Case(theorem, f"{whole}\n\naxiom more : False", False))
        for at in range(len(hypotheses)):
            fewer = _theorem(variables, *hypotheses[:at], *hypotheses[at + 1 :], conclusion=conclusion)
            cases.append(Case(fewer, whole, False))
        cases.append(Case(_theorem(variables, *hypotheses, conclusion=false), whole, False))
        # Another statement, proved.
        cases.append(Case(theorem, "theorem goal : True := by\n  exact True.intro", False))
    return cases


def _numbers() -> list[Case]:
    cases = []
    for number in range(1, 21):
        total, more = number + 2, number + 3
        for right, false, text in (
            (f"Eq (Nat.add {number} 2) {total}", f"Eq (Nat.add {number} 2) {more}", f"exact Eq.refl {total}"),
            (f"Nat.le {number} {total}", f"Nat.le {total} {number}", "exact Nat.le.step (Nat.le.step Nat.le.refl)"),
            (f"Nat.le {number} {number}", f"Nat.le {more} {number}", "apply Nat.le.refl"),
            (
                f"Eq (Nat.succ {number}) {number + 1}",
                f"Eq (Nat.succ {number}) {number}",
                "exact Eq.refl _",
            ),
            (
                f"∀ n : Nat, Nat.le n {number} → Nat.le n {number + 1}",
                f"∀ n : Nat, Nat.le n {number + 1} → Nat.le n {number}",
                "intro n h\nexact Nat.le.step h",
            ),
        ):
            cases.append(Case(_theorem(conclusion=right), text, True))
            cases.append(Case(_theorem(conclusion=false), text, False))
    return cases


CASES = list(dict.fromkeys([*_logic(), *_numbers()]))
