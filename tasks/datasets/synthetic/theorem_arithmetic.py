"""Families of theorems about numbers: witnesses to find, divisibility, linear arithmetic, functions by recursion."""

import random

from tasks.datasets.synthetic.portable_random import below, pick
from tasks.datasets.synthetic.theorem_text import IMPORTS, INTEGERS, Theorem, between, sum_of, two_equations

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)


def linear_witness(rng: random.Random) -> Theorem:
    """There is a number with a linear equation."""
    factor, witness = between(rng, 2, 9), between(rng, 1, 30)
    if below(rng, 2):
        constant = between(rng, 1, 40)
        equation = f"{factor} * @0 + {constant} = {factor * witness + constant}"
        return Theorem(IMPORTS, f"exists @0 : nat, {equation}", (f"exists {witness}.", "reflexivity."))
    constant = between(rng, -40, 40)
    witness = witness - 15
    equation = f"{sum_of([(factor, '@0')], constant)} = {factor * witness + constant}"
    shown = f"({witness})" if witness < 0 else str(witness)
    return Theorem(INTEGERS, f"exists @0 : Z, {equation}", (f"exists {shown}.", "reflexivity."))


def pair_of_witnesses(rng: random.Random) -> Theorem:
    """There are two numbers with a given sum and a given difference, product or bounds."""
    small = between(rng, 1, 12)
    large = small + between(rng, 1, 12)
    difference, product = f"@0 = @1 + {large - small}", f"@0 * @1 = {large * small}"
    second = pick(rng, (difference, product, f"@0 < {large + 2} /\\ @1 < {small + 2}"))
    proof = (f"exists {large}, {small}.", "lia.")
    return Theorem(IMPORTS, f"exists @0 @1 : nat, @0 + @1 = {large + small} /\\ {second}", proof)


def factors(rng: random.Random) -> Theorem:
    """A number is a product, a square, or a sum of squares."""
    kind = below(rng, 3)
    if kind == 0:
        a, b = pick(rng, _PRIMES), pick(rng, _PRIMES)
        a, b = min(a, b), max(a, b)
        claim = f"exists @0 @1 : nat, 1 < @0 /\\ 1 < @1 /\\ @0 * @1 = {a * b}"
        return Theorem(IMPORTS, claim, (f"exists {a}, {b}.", "lia."))
    if kind == 1:
        root, more = between(rng, 3, 30), between(rng, 0, 20)
        return Theorem(
            IMPORTS, f"exists @0 : nat, @0 * @0 + {more} = {root * root + more}", (f"exists {root}.", "reflexivity.")
        )
    a = between(rng, 1, 9)
    b = a + between(rng, 0, 6)
    return Theorem(
        IMPORTS, f"exists @0 @1 : nat, @0 * @0 + @1 * @1 = {a * a + b * b}", (f"exists {a}, {b}.", "reflexivity.")
    )


def remainder_witness(rng: random.Random) -> Theorem:
    """There is a number in a range with one or two given remainders."""
    first = between(rng, 3, 9)
    start = between(rng, 1, 60)
    if below(rng, 2):
        witness = start + between(rng, 1, first)
        claims = [f"{start} < @0", f"@0 < {start + first + 1}", f"@0 mod {first} = {witness % first}"]
        proof = "split; [lia | split; [lia | reflexivity]]."
    else:
        second = between(rng, 2, 9)
        witness = between(rng, 1, 60)
        claims = [f"@0 < 100 /\\ @0 mod {first} = {witness % first}", f"@0 mod {second} = {witness % second}"]
        proof = "split; [lia | split; reflexivity]."
        witness = next(n for n in range(100) if n % first == witness % first and n % second == witness % second)
    claim = " /\\ ".join(claims)
    return Theorem(IMPORTS, f"exists @0 : nat, {claim}", (f"exists {witness}.", proof))


def residue_class(rng: random.Random) -> Theorem:
    """A linear function of a number of one residue class is in another."""
    modulus, divisor = between(rng, 2, 9), between(rng, 2, 9)
    factor = between(rng, 1, 9)
    while modulus * factor % divisor:
        factor = between(rng, 1, 9)
    rest, more = between(rng, 0, modulus - 1), between(rng, 0, 9)
    last = (factor * rest + more) % divisor
    inner = sum_of([(modulus, "@1")], rest)
    outer = sum_of([(factor, "@0")], more)
    claim = f"(exists @1, @0 = {inner}) -> exists @2, {outer} = {sum_of([(divisor, '@2')], last)}"
    witness = sum_of([(modulus * factor // divisor, "@1")], (factor * rest + more) // divisor)
    proof = ("intros @0 [@1 H1].", f"exists ({witness}).", "lia.")
    return Theorem(IMPORTS, f"forall @0 : nat, {claim}", proof)


def common_divisor(rng: random.Random) -> Theorem:
    """A number that divides two others divides a linear combination of them."""
    divisor = between(rng, 2, 9)
    first, second = (divisor * between(rng, 1, 4), divisor * between(rng, 1, 4))
    p, q = between(rng, -5, 6) or 7, between(rng, -5, 6) or 7
    claim = f"({first} | @0) -> ({second} | @1) -> ({divisor} | {sum_of([(p, '@0'), (q, '@1')])})"
    witness = sum_of([(p * first // divisor, "@2"), (q * second // divisor, "@3")])
    proof = ("intros @0 @1 [@2 H1] [@3 H2].", f"exists ({witness}).", "lia.")
    return Theorem(INTEGERS, f"forall @0 @1 : Z, {claim}", proof)


def linear_system(rng: random.Random) -> Theorem:
    """Two linear equations determine a number, or inequalities imply another."""
    x, y = between(rng, -9, 9), between(rng, -9, 9)
    first, second = two_equations(rng, x, y, -4, 4)
    goal = pick(rng, (f"@0 = {x}", f"@1 = {y}", f"@0 + @1 = {x + y}", f"@0 <= {x + below(rng, 3)}"))
    if below(rng, 2):
        claim = f"forall @0 @1 : Z, {first} -> {second} -> {goal}"
    else:
        claim = f"forall @0 @1 : Z, {first} /\\ {second} -> {goal}"
    return Theorem(INTEGERS, claim, ("intros.", "lia."))


def identity(rng: random.Random) -> Theorem:
    """An identity of polynomials in integers."""
    a, b, c, d = (between(rng, 1, 6) for _ in range(4))
    left = pick(rng, ("@0", "@1", f"{a} * @0"))
    claims = (
        f"({left} + {b}) * (@1 + {c}) = {left} * @1 + {c} * ({left}) + {b} * @1 + {b * c}",
        f"(@0 + {a}) * (@0 - {a}) = @0 * @0 - {a * a}",
        f"(@0 + {a} * @1) * (@0 + {b} * @1) = @0 * @0 + {a + b} * @0 * @1 + {a * b} * @1 * @1",
        f"({a} * @0 - {b}) * {c} + {d} = {a * c} * @0 - {b * c - d}",
    )
    return Theorem(INTEGERS, f"forall @0 @1 : Z, {pick(rng, claims)}", ("intros.", "ring."))


def recursion(rng: random.Random) -> Theorem:
    """The closed form of a function that is defined by recursion."""
    step, start = between(rng, 1, 9), between(rng, 0, 9)
    body, closed = pick(
        rng,
        (
            (f"{step} + @3 @2", sum_of([(step, "@0")], start)),
            (f"@3 @2 + {step}", sum_of([(step, "@0")], start)),
            (f"@3 @2 + 2 * @2 + {step}", f"@0 * @0 + {sum_of([(step - 1, '@0')], start)}"),
            (f"S (@3 @2 + {step})", sum_of([(step + 1, "@0")], start)),
        ),
    )
    header = (
        f"{IMPORTS}\nFixpoint @3 (@0 : nat) : nat :=\n  match @0 with\n  | 0 => {start}\n  | S @2 => {body}\n  end."
    )
    claim = pick(rng, (f"@3 @0 = {closed}", f"{closed} = @3 @0", f"@3 (S @0) = {closed.replace('@0', '(S @0)')}"))
    next_value = "@3 (S @0)" in claim
    if not next_value:
        rng.random()  # The bundled model's training stream has this draw.
    step_case = "- simpl in *. lia." if next_value else "- simpl. lia."
    proof = ("intros @0.", "induction @0 as [| @2 IH].", "- reflexivity.", step_case)
    return Theorem(header, f"forall @0 : nat, {claim}", proof)
