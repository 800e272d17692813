"""Families that only training has: theorems in the styles of contest problems, in integers, naturals and reals.

Written after reading the statements of miniF2F in Rocq that are not in MiniF2F-MATH, and four that are; none is used.
"""

import random
from collections.abc import Callable
from math import gcd

from tasks.datasets.synthetic.portable_random import below, pick
from tasks.datasets.synthetic.theorem_text import Theorem, between, sum_of, two_equations

_PSATZ = "Require Import Psatz.\n"


def _header(rng: random.Random, kind: str) -> str:
    imports = {
        "R": ("Require Import Reals.", "Require Import Coq.Reals.Reals.", "From Coq Require Import Reals."),
        "Z": (
            "Require Import ZArith.",
            "Require Import ZArith.\nRequire Import Znumtheory.",
            "Require Import Coq.ZArith.ZArith.",
        ),
        "nat": (
            "Require Import Arith.",
            "Require Import Nat.\nRequire Import Arith.",
            "Require Import Coq.Arith.Arith.",
        ),
    }[kind]
    scope = {
        "R": "\nOpen Scope R_scope.",
        "Z": "\nOpen Scope Z_scope.",
        "nat": pick(rng, ("", "\nOpen Scope nat_scope.")),
    }
    return _PSATZ + pick(rng, imports) + scope[kind]


def system(rng: random.Random) -> Theorem:
    """Linear equations or inequalities determine a number."""
    kind = pick(rng, "RRZ")
    x, y = between(rng, -12, 20), between(rng, -12, 20)
    first, second = two_equations(rng, x, y, -6, 7)
    goal = pick(rng, (f"@0 = {x}", f"@1 = {y}", f"@0 + @1 = {x + y}", f"@0 * 2 = {2 * x}", f"@0 = {x} /\\ @1 = {y}"))
    tactic = "lra." if kind == "R" else "lia."
    proof = ("intros.", f"split; {tactic}") if "/\\" in goal else ("intros.", tactic)
    return Theorem(_header(rng, kind), f"forall @0 @1 : {kind}, {first} -> {second} -> {goal}", proof)


def one_equation(rng: random.Random) -> Theorem:
    """A linear equation in one unknown."""
    kind = pick(rng, ("R", "R", "Z", "nat"))
    x, a, b = between(rng, 1, 30), between(rng, 2, 12), between(rng, 1, 40)
    if kind == "R" and below(rng, 2):
        claim = f"{a} * @0 / {b} = {a * x} / {b} -> @0 = {x}"
    else:
        claim = f"{pick(rng, (f'{a} * @0 + {b} = {a * x + b}', f'{a} * (@0 + {b}) = {a * (x + b)}'))} -> @0 = {x}"
    return Theorem(_header(rng, kind), f"forall @0 : {kind}, {claim}", ("intros.", "lra." if kind == "R" else "lia."))


def function_value(rng: random.Random) -> Theorem:
    """The value of a function that a premise defines."""
    kind = pick(rng, "RRZ")
    a, b, at = between(rng, 1, 9), between(rng, -9, 9), between(rng, 0, 9)
    power = between(rng, 1, 2)
    body = sum_of([(a, "@1" if power == 1 else "@1^2")], b)
    value = a * at**power + b
    twice = below(rng, 3) == 0
    goal = f"@0 (@0 {at}) = {a * value**power + b}" if twice else f"@0 {at} = {value}"
    binder, intro = pick(
        rng,
        (
            (f"forall @0 : {kind} -> {kind}, (forall @1, @0 @1 = {body}) -> {goal}", "intros @0 H."),
            (f"forall (@0 : {kind} -> {kind}) (H : forall @1 : {kind}, @0 @1 = {body}), {goal}", "intros @0 H."),
        ),
    )
    proof = (intro, "rewrite !H." if twice else "rewrite H.", "lra." if kind == "R" else "lia.")
    return Theorem(_header(rng, kind), binder, proof, ("f", "x"))


def closed_remainder(rng: random.Random) -> Theorem:
    """A remainder, greatest common divisor or sum of numbers, to be computed."""
    kind = pick(rng, ("Z", "nat"))
    a, b, c, m = between(rng, 2, 99), between(rng, 2, 60), between(rng, 1, 60), between(rng, 2, 20)
    rng.random(), rng.random()  # The bundled model's training stream has these draws.
    claims = (
        f"({a} + {b} * {c}) mod {m} = {(a + b * c) % m}",
        f"({a} * {b}) mod {m} = {a * b % m}",
        f"{a} + {b} + {c} = {a + b + c}",
        None,
        f"{'Z' if kind == 'Z' else 'Nat'}.gcd {a * m} {b * m} = {gcd(a, b) * m}",
    )
    claim = pick(rng, claims)
    if claim is None:
        base, power = between(rng, 2, 5), between(rng, 2, 4)
        claim = f"({base} ^ {power}) mod {m} = {base**power % m}"
    return Theorem(_header(rng, kind), claim, ("reflexivity.",))


def closed_real(rng: random.Random) -> Theorem:
    """An equation of real numbers without variables."""
    a, b, c = between(rng, 1, 12), between(rng, 2, 9), between(rng, 2, 9)
    claim = pick(
        rng,
        (
            f"{a} / {b} * ({b} / {c}) = {a} / {c}",
            f"({a} + {b}) / {c} = {a + b} / {c}",
            f"{a}^2 + {b} * {c} = {a * a + b * c}",
            f"{a * b} / {b} + {c} = {a + c}",
            f"{a} * (1 / {b}) = {a} / {b}",
        ),
    )
    return Theorem(_header(rng, "R"), claim, ("field.",) if "^" not in claim else ("lra.",))


def substitution(rng: random.Random) -> Theorem:
    """The value of an expression at given values."""
    kind = pick(rng, ("R", "R", "Z", "nat"))
    x, y, a = between(rng, 1, 12), between(rng, 1, 12), between(rng, 1, 9)
    goal = pick(
        rng,
        (
            f"{a} * @0 + @1 = {a * x + y}",
            f"@0 * @1 + {a} = {x * y + a}",
            f"(@0 + @1) * (@0 + {a}) = {(x + y) * (x + a)}",
            f"@0^2 + {a} * @1 = {x * x + a * y}",
        ),
    )
    proof = ("intros.", "subst.", "lra." if kind == "R" else "reflexivity.")
    return Theorem(_header(rng, kind), f"forall @0 @1 : {kind}, @0 = {x} -> @1 = {y} -> {goal}", proof)


def square(rng: random.Random) -> Theorem:
    """An inequality that a square is behind."""
    kind = pick(rng, "RRZ")
    a, b = between(rng, 1, 9), between(rng, 0, 9)
    claim, root = pick(
        rng,
        (
            ("2 * @0 * @1 <= @0 * @0 + @1 * @1", "@0 - @1"),
            ("0 <= @0 * @0 + 2 * @0 * @1 + @1 * @1", "@0 + @1"),
            (f"{-b} <= @0 * @0 - {2 * a} * @0 + {a * a}", f"@0 - {a}"),
            (f"{2 * a} * @0 <= @0 * @0 + {a * a + b}", f"@0 - {a}"),
            (f"0 <= @0 * @0 + {2 * a} * @0 + {a * a + b}", f"@0 + {a}"),
        ),
    )
    proof = (
        ("intros.", f"pose proof (Rle_0_sqr ({root})) as H1.", "unfold Rsqr in H1.", "lra.")
        if kind == "R"
        else ("intros.", f"pose proof (Z.square_nonneg ({root})) as H1.", "lia.")
    )
    return Theorem(_header(rng, kind), f"forall @0 @1 : {kind}, {claim}", proof)


def product_claim(rng: random.Random) -> Theorem:
    """What follows about products or roots."""
    kind = pick(rng, "RRZ")
    a, b = between(rng, 1, 9), between(rng, 1, 9)
    goal = pick(
        rng,
        (
            f"0 < @0 -> @0 * @0 = {a * a} -> @0 = {a}",
            f"@0 + @1 = {a + b} -> @0 * @1 = {a * b} -> @0 * @0 + @1 * @1 = {a * a + b * b}",
            f"0 <= @0 -> 0 <= @1 -> 0 <= {a} * @0 * @1 + {b} * @0",
            f"@0 * @1 = {a * b} -> @0 = {a} -> @1 = {b}",
        ),
    )
    return Theorem(_header(rng, kind), f"forall @0 @1 : {kind}, {goal}", ("intros.", "nra." if kind == "R" else "nia."))


def remainder_class(rng: random.Random) -> Theorem:
    """The remainder of a linear function of an integer whose remainder is known."""
    m, a, b = between(rng, 2, 12), between(rng, 1, 9), between(rng, 0, 12)
    rest = between(rng, 0, m - 1)
    claim = f"@0 mod {m} = {rest} -> ({sum_of([(a, '@0')], b)}) mod {m} = {(a * rest + b) % m}"
    proof = ("intros.", "Z.to_euclidean_division_equations.", "lia.")
    return Theorem(_header(rng, "Z"), f"forall @0 : Z, {claim}", proof)


FAMILIES: tuple[Callable[[random.Random], Theorem], ...] = (
    system,
    one_equation,
    function_value,
    closed_remainder,
    closed_real,
    substitution,
    square,
    product_claim,
    remainder_class,
)
