"""Random theorems of intuitionistic propositional logic, each with the tactic script that a small prover finds.

A formula is a variable (`Atom`), the constant false, a conjunction, a disjunction or an implication; `~ A` is an
implication of false. The prover searches backwards with a limit on depth: rules that lose nothing first (introduce,
destruct, split), then those that choose (`left`, `right`, `apply`).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tasks.datasets.synthetic.portable_random import below, pick

MAX_DEPTH = 8
BULLETS = "-+*"


@dataclass(frozen=True, slots=True)
class Atom:
    """A propositional variable, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Falsity:
    """The proposition that has no proof."""


@dataclass(frozen=True, slots=True)
class Both:
    """A conjunction."""

    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Either:
    """A disjunction."""

    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Implies:
    """An implication; of false, it is a negation."""

    left: "Formula"
    right: "Formula"


Formula = Atom | Falsity | Both | Either | Implies
FALSE = Falsity()
_CONNECTIVES: tuple[Callable[[Formula, Formula], Formula], ...] = (Both, Either, Implies)


class Proof(NamedTuple):
    """A tactic with the proofs of the goals that it leaves."""

    tactic: str
    goals: tuple["Proof", ...] = ()

    @property
    def size(self) -> int:
        """The number of tactics."""
        return 1 + sum(goal.size for goal in self.goals)


class Proposition(NamedTuple):
    """A provable formula over `variables` variables, and a proof."""

    formula: Formula
    variables: int
    proof: Proof


class _Known(NamedTuple):
    name: str
    formula: Formula


class _Sequent(NamedTuple):
    """A goal, what is known, and the number of the next hypothesis."""

    known: tuple[_Known, ...]
    goal: Formula
    fresh: int


class _Step(NamedTuple):
    tactic: str
    goals: list[_Sequent]


def proposition(rng: random.Random, smallest: int, largest: int) -> Proposition:
    """A random theorem whose proof has between `smallest` and `largest` tactics, after its variables are introduced."""
    while True:
        variables = 2 + below(rng, 3)
        formula = _formula(rng, variables, 2)
        for _ in range(1 + below(rng, 3)):
            formula = Implies(_formula(rng, variables, 2), formula)
        used = sorted(_atoms(formula))
        proof = prove(formula) if len(used) > 1 else None
        if proof is not None and smallest <= proof.size <= largest:
            return Proposition(_renumbered(formula, used), len(used), proof)


def prove(formula: Formula) -> Proof | None:
    """A proof within the limit of depth, or None."""
    return _prove(_Sequent((), formula, 1), MAX_DEPTH, frozenset())


def shown(formula: Formula, names: Sequence[str], level: int = 3) -> str:
    """The formula as Rocq reads it, in parentheses where it binds less tightly than `level` (0 for atoms)."""
    match formula:
        case Atom(number):
            return names[number]
        case Falsity():
            return "False"
        case Implies(left, Falsity()):
            text, own = f"~ {shown(left, names, 0)}", 0
        case Both(left, right):
            text, own = f"{shown(left, names, 0)} /\\ {shown(right, names, 1)}", 1
        case Either(left, right):
            text, own = f"{shown(left, names, 1)} \\/ {shown(right, names, 2)}", 2
        case Implies(left, right):
            text, own = f"{shown(left, names, 2)} -> {shown(right, names, 3)}", 3
    return f"({text})" if own > level or (own == 0 and level == 0) else text


def script(proof: Proof, level: int = 0) -> list[str]:
    """The lines of a proof, with bullets where a tactic leaves several goals."""
    introduced = []
    while proof.tactic.startswith("intros ") and proof.goals:
        introduced.append(proof.tactic.removeprefix("intros ").removesuffix("."))
        proof = proof.goals[0]
    lines = [f"intros {' '.join(introduced)}."] if introduced else []
    lines.append(proof.tactic)
    if len(proof.goals) == 1:
        return lines + script(proof.goals[0], level)
    for goal in proof.goals:
        first, *others = script(goal, level + 1)
        bullet = BULLETS[level % 3] * (1 + level // 3)
        lines += [f"{bullet} {first}", *(" " * (len(bullet) + 1) + line for line in others)]
    return lines


def _formula(rng: random.Random, variables: int, depth: int) -> Formula:
    kind = below(rng, 10) if depth else 0
    if kind < 3:
        return Atom(below(rng, variables))
    if kind == 3:
        return Implies(_formula(rng, variables, depth - 1), FALSE)
    left = right = _formula(rng, variables, depth - 1)
    while left == right:
        right = _formula(rng, variables, depth - 1)
    return pick(rng, _CONNECTIVES)(left, right)


def _atoms(formula: Formula) -> set[int]:
    match formula:
        case Atom(number):
            return {number}
        case Falsity():
            return set()
        case _:
            return _atoms(formula.left) | _atoms(formula.right)


def _renumbered(formula: Formula, used: Sequence[int]) -> Formula:
    match formula:
        case Atom(number):
            return Atom(used.index(number))
        case Both(left, right):
            return Both(_renumbered(left, used), _renumbered(right, used))
        case Either(left, right):
            return Either(_renumbered(left, used), _renumbered(right, used))
        case Implies(left, right):
            return Implies(_renumbered(left, used), _renumbered(right, used))
    return formula


def _prove(sequent: _Sequent, depth: int, seen: frozenset[tuple[frozenset[Formula], Formula]]) -> Proof | None:
    for each in sequent.known:
        if each.formula == sequent.goal:
            return Proof(f"exact {each.name}.")
        if each.formula == FALSE:
            return Proof(f"destruct {each.name}.")
    state = (frozenset(each.formula for each in sequent.known), sequent.goal)
    if depth == 0 or state in seen:
        return None
    certain = _certain_step(sequent)
    for tactic, goals in [certain] if certain else _possible_steps(sequent):
        proofs = []
        for goal in goals:
            proof = _prove(goal, depth - 1, seen | {state})
            if proof is None:
                break
            proofs.append(proof)
        else:
            return Proof(tactic, tuple(proofs))
    return None


def _certain_step(sequent: _Sequent) -> _Step | None:
    """The step by a rule that loses nothing, if there is one."""
    known, goal, fresh = sequent
    name, other = f"H{fresh}", f"H{fresh + 1}"
    if isinstance(goal, Implies):
        return _Step(f"intros {name}.", [_Sequent((*known, _Known(name, goal.left)), goal.right, fresh + 1)])
    for at, each in enumerate(known):
        others = known[:at] + known[at + 1 :]
        match each.formula:
            case Both(left, right):
                more = (*others, _Known(name, left), _Known(other, right))
                return _Step(f"destruct {each.name} as [{name} {other}].", [_Sequent(more, goal, fresh + 2)])
            case Either(left, right):
                cases = [_Sequent((*others, _Known(name, side)), goal, fresh + 1) for side in (left, right)]
                return _Step(f"destruct {each.name} as [{name} | {name}].", cases)
    if isinstance(goal, Both):
        return _Step("split.", [_Sequent(known, side, fresh) for side in (goal.left, goal.right)])
    return None


def _possible_steps(sequent: _Sequent) -> Iterator[_Step]:
    """The steps by rules that choose, the most promising first."""
    known, goal, fresh = sequent
    for each in known:
        wanted, premises = each.formula, []
        while isinstance(wanted, Implies) and wanted != goal:
            premises.append(wanted.left)
            wanted = wanted.right
        if wanted == goal:
            yield _Step(f"apply {each.name}.", [_Sequent(known, premise, fresh) for premise in premises])
    if isinstance(goal, Either):
        yield _Step("left.", [_Sequent(known, goal.left, fresh)])
        yield _Step("right.", [_Sequent(known, goal.right, fresh)])
    for each in known:
        if isinstance(each.formula, Implies) and each.formula.right != FALSE:
            argument = next((other for other in known if other.formula == each.formula.left), None)
            if argument and all(other.formula != each.formula.right for other in known):
                more = (*known, _Known(f"H{fresh}", each.formula.right))
                tactic = f"pose proof ({each.name} {argument.name}) as H{fresh}."
                yield _Step(tactic, [_Sequent(more, goal, fresh + 1)])
    if goal != FALSE and any(isinstance(each.formula, Implies) and each.formula.right == FALSE for each in known):
        yield _Step("exfalso.", [_Sequent(known, FALSE, fresh)])
