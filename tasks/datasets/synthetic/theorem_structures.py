"""Families of theorems about booleans, lists, functions, predicates and propositions."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import TypeAlias

from tasks.datasets.synthetic.portable_random import below, pick
from tasks.datasets.synthetic.propositions import proposition, script, shown
from tasks.datasets.synthetic.theorem_text import IMPORTS, Theorem, between, shuffled, sum_of

_PROPOSITIONS = ("PQRS", "ABCD")
_CONNECTIVES: dict[str, Callable[[bool, bool], bool]] = {
    "andb": lambda a, b: a and b,
    "orb": lambda a, b: a or b,
    "xorb": lambda a, b: a != b,
    "implb": lambda a, b: not a or b,
}
_LENGTHS = {"rev": "rev_length", "++": "app_length", "map": "map_length"}
Expression: TypeAlias = "str | tuple[Expression, ...]"
"""A variable, or a tuple of an operation's name and its arguments."""


def short_proposition(rng: random.Random) -> Theorem:
    """A theorem of propositional logic with a short proof."""
    return _proposition(rng, 4, 7)


def long_proposition(rng: random.Random) -> Theorem:
    """A theorem of propositional logic with a long proof."""
    return _proposition(rng, 8, 14)


def _proposition(rng: random.Random, smallest: int, largest: int) -> Theorem:
    found = proposition(rng, smallest, largest)
    places = [f"@{number}" for number in range(found.variables)]
    lines = script(found.proof)
    lines[0] = f"intros {' '.join(places)} {lines[0].removeprefix('intros ')}"
    claim = f"forall {' '.join(places)} : Prop, {shown(found.formula, places)}"
    return Theorem(IMPORTS, claim, lines, pick(rng, _PROPOSITIONS))


def boolean_identity(rng: random.Random) -> Theorem:
    """Two expressions of booleans are equal, or one equation implies another."""
    variables = 2 + below(rng, 2)
    names = [f"@{number}" for number in range(variables)]
    rows = list(product((False, True), repeat=variables))
    while True:
        left, right = _boolean(rng, variables, 2), _boolean(rng, variables, 2)
        table = [[_value(each, row) for row in rows] for each in (left, right)]
        if left == right or any(len(set(values)) == 1 for values in table):
            continue
        used = [name for name in names if name in _term(left) + _term(right)]
        intro, split = f"forall {' '.join(used)} : bool", ", ".join(used)
        if table[0] == table[1]:
            proof = (f"destruct {split}; reflexivity.",)
            return Theorem(IMPORTS, f"{intro}, {_term(left)} = {_term(right)}", (f"intros {' '.join(used)}.", *proof))
        if all(not a or b for a, b in zip(*table, strict=True)) and below(rng, 4) == 0:
            proof = (f"destruct {split}; simpl in *; congruence.",)
            claim = f"{intro}, {_term(left)} = true -> {_term(right)} = true"
            return Theorem(IMPORTS, claim, (f"intros {' '.join(used)} H1.", *proof))


def equations(rng: random.Random) -> Theorem:
    """Equations between values of one or two functions take a value to another, by rewriting in the right order."""
    count = between(rng, 3, 5)
    functions = ("@6", "@7")[: between(rng, 1, 2)]
    constants = [f"@{number}" for number in range(count)]
    table = {(function, c): pick(rng, constants) for function in functions for c in constants}
    at = pick(rng, constants)
    goal, path = at, []
    for _ in range(between(rng, 2, 4)):
        function = pick(rng, functions)
        path.append((function, at))
        goal, at = f"{function} {goal}" if goal == path[0][1] else f"{function} ({goal})", table[function, at]
    needed = list(dict.fromkeys(path))
    spare = [key for key in table if key not in needed][: below(rng, 3)]
    order = shuffled(rng, range(len(needed) + len(spare)))
    keys = [(needed + spare)[i] for i in order]
    claim = " -> ".join([f"{f} {c} = {table[f, c]}" for f, c in keys] + [f"{goal} = {at}"])
    hypothesis = {key: f"H{number}" for number, key in enumerate(keys, 1)}
    used = [c for c in constants if c in claim]
    head = f"forall (T : Type) ({' '.join(functions)} : T -> T) ({' '.join(used)} : T)"
    steps, left = [], list(path)
    for key in path:
        # A rewrite changes all occurrences, so a step may be done already.
        if key in left:
            steps.append(f"rewrite {hypothesis[key]}.")
            left = left[1:]
    intros = f"intros T {' '.join((*functions, *used))} {' '.join(hypothesis[key] for key in keys)}."
    return Theorem(IMPORTS, f"{head}, {claim}", (intros, *steps, "reflexivity."), "abcde?fg")


def quantifiers(rng: random.Random) -> Theorem:
    """Implications between predicates, in a chain, carry over to all or to some values."""
    count = between(rng, 3, 4)
    order = shuffled(rng, range(count))
    links = list(pairwise(order))
    arranged = [links[i] for i in shuffled(rng, range(len(links)))]
    names = {link: f"H{number}" for number, link in enumerate(arranged, 1)}
    rules = [f"(forall @4, @{a} @4 -> @{b} @4)" for a, b in arranged]
    predicates = [f"@{number}" for number in range(count)]
    head = f"forall (T : Type) ({' '.join(predicates)} : T -> Prop)"
    first, last = order[0], order[-1]
    known = " ".join(names[link] for link in arranged)
    applied = [f"apply {names[link]}." for link in reversed(links)]
    start = f"intros T {' '.join(predicates)} {known}"
    if below(rng, 2):
        rules.append(f"(exists @4, @{first} @4) -> exists @4, @{last} @4")
        proof = [f"{start} [@4 H].", "exists @4.", *applied, "exact H."]
    else:
        rules.append(f"(forall @4, @{first} @4) -> forall @4, @{last} @4")
        proof = [f"{start} H @4.", *applied, "apply H."]
    return Theorem(IMPORTS, f"{head}, {' -> '.join(rules)}", proof, ("P", "Q", "R", "S", pick(rng, "xyz")))


def list_length(rng: random.Random) -> Theorem:
    """The length of an expression of lists."""
    expression, leaves = _list(rng, between(rng, 2, 4))
    order = shuffled(rng, range(len(leaves)))
    total = " + ".join(f"length {leaves[i]}" for i in order)
    lists = sorted(set(leaves))
    rules = []
    pending = [expression]
    while pending:
        each = pending.pop(0)
        if isinstance(each, str):
            continue
        rules.append(_LENGTHS[str(each[0])])
        pending = [*each[1:], *pending]
    claim = f"forall (@4 : nat -> nat) ({' '.join(lists)} : list nat), length {_listed(expression, 0)} = {total}"
    proof = ("intros.", *(f"rewrite {rule}." for rule in rules), "lia." if len(leaves) > 1 else "reflexivity.")
    return Theorem(IMPORTS, claim, proof, ("l", "m", "k", "n", "f"))


def list_equation(rng: random.Random) -> Theorem:
    """Two expressions of lists are equal, by rewriting one into its normal form."""
    while True:
        expression, leaves = _list(rng, between(rng, 2, 4))
        rules = []
        term = expression
        while (step := _list_step(term)) is not None:
            rule, term = step
            rules.append(rule)
        if 1 <= len(rules) <= 6 and len(set(leaves)) == len(leaves):
            break
    lists = sorted(set(leaves))
    claim = f"forall (@4 : nat -> nat) ({' '.join(lists)} : list nat), {_listed(expression, 2)} = {_listed(term, 2)}"
    proof = ("intros.", *(f"rewrite {rule}." for rule in rules), "reflexivity.")
    return Theorem(IMPORTS, claim, proof, ("l", "m", "k", "n", "f"))


def list_induction(rng: random.Random) -> Theorem:
    """A sum over a list, defined by recursion, of two lists joined or of a list with every number changed."""
    factor, more = between(rng, 1, 5), between(rng, 0, 6)
    body = f"{sum_of([(factor, '@2')], more)} + @3 @4"
    header = (
        f"{IMPORTS}\nFixpoint @3 (@0 : list nat) : nat :=\n  match @0 with\n  | [] => 0\n  | @2 :: @4 => {body}\n  end."
    )
    scale = between(rng, 2, 6)
    claim, start = pick(
        rng,
        (
            ("forall @0 @1 : list nat, @3 (@0 ++ @1) = @3 @0 + @3 @1", "intros @0 @1."),
            ("forall @0 @1 : list nat, @3 (@0 ++ @1) = @3 @1 + @3 @0", "intros @0 @1."),
            (
                f"forall @0 : list nat, @3 (map (fun @2 => @2 + {scale}) @0) = @3 @0 + {factor * scale} * length @0",
                "intros @0.",
            ),
            (f"forall @0 : list nat, {more} * length @0 <= @3 @0", "intros @0."),
            (
                f"forall (@0 : list nat) (@5 : nat), @3 (@0 ++ [@5]) = @3 @0 + {sum_of([(factor, '@5')], more)}",
                "intros @0 @5.",
            ),
        ),
    )
    proof = (start, "induction @0 as [| @2 @4 IH].", "- simpl. lia.", "- simpl. lia.")
    return Theorem(header, claim, proof, ("l", "k", "x", pick(rng, "fgh"), "t", "y"))


def _boolean(rng: random.Random, variables: int, depth: int) -> Expression:
    kind = below(rng, 8) if depth else 0
    if kind < 2:
        return f"@{below(rng, variables)}"
    if kind == 2:
        return ("negb", _boolean(rng, variables, depth - 1))
    operation = pick(rng, list(_CONNECTIVES))
    return (operation, _boolean(rng, variables, depth - 1), _boolean(rng, variables, depth - 1))


def _value(term: Expression, row: Sequence[bool]) -> bool:
    if isinstance(term, str):
        return row[int(term[1:])]
    values = [_value(each, row) for each in term[1:]]
    return not values[0] if term[0] == "negb" else _CONNECTIVES[str(term[0])](*values)


def _term(term: Expression) -> str:
    """An expression as Rocq reads it, with operations before their arguments."""
    if isinstance(term, str):
        return term
    return " ".join([str(term[0]), *(each if isinstance(each, str) else f"({_term(each)})" for each in term[1:])])


def _list(rng: random.Random, depth: int) -> tuple[Expression, list[str]]:
    """An expression of lists with `depth` operations at most on a path, and its variables from left to right."""
    leaves: list[str] = []

    def grown(left: int) -> Expression:
        kind = below(rng, 5) if left else 9
        if left and kind < 2 and len(leaves) < 3:
            return ("++", grown(left - 1), grown(left - 1))
        if left and kind < 4:
            return ("rev", grown(left - 1))
        if left:
            return ("map", grown(left - 1))
        leaves.append(f"@{len(leaves) % 4}")
        return leaves[-1]

    return grown(depth), leaves


def _list_step(term: Expression) -> tuple[str, Expression] | None:
    """The lemma that rewrites the outermost place that is not in normal form, and the expression after it.

    In normal form, lists are joined to the right, reversed before they are joined, and mapped before they are reversed.
    """
    found: tuple[str, Expression] | None = None
    match term:
        case str():
            return None
        case ("rev", ("++", left, right)):
            found = "rev_app_distr", ("++", ("rev", right), ("rev", left))
        case ("rev", ("rev", inner)):
            found = "rev_involutive", inner
        case ("map", ("++", left, right)):
            found = "map_app", ("++", ("map", left), ("map", right))
        case ("map", ("rev", inner)):
            found = "map_rev", ("rev", ("map", inner))
        case ("++", ("++", left, middle), right):
            found = "<- app_assoc", ("++", left, ("++", middle, right))
    if found is not None:
        return found
    for at, part in enumerate(term[1:], 1):
        if (step := _list_step(part)) is not None:
            return step[0], (*term[:at], step[1], *term[at + 1 :])
    return None


def _listed(term: Expression, level: int) -> str:
    """An expression of lists as Rocq reads it, in parentheses where it is not alone: at level 0, an argument."""
    match term:
        case str():
            return term
        case ("rev", inner):
            text, own = f"rev {_listed(inner, 0)}", 1
        case ("map", inner):
            text, own = f"map @4 {_listed(inner, 0)}", 1
        case ("++", left, right):
            text, own = f"{_listed(left, 1)} ++ {_listed(right, 2)}", 2
        case _:
            raise ValueError(f"not a list: {term}")
    return f"({text})" if own > level else text
