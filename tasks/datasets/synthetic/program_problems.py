"""Generated small programming problems: transform a list of integers read from stdin.

A problem's *form* is its composition with all arguments, such as `even add:3 sort | sum`. It is held out or not by a
hash of its reference program alone (two forms may have one program: `positive` and `above:0`), so no program that the
held-out set asks for occurs in training, in whatever words. The expected outputs come from running the reference
program, and the tests are chosen to tell it from its near misses.
"""

import hashlib
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from types import CodeType

from tasks.datasets.synthetic.portable_random import below, generator, pick
from tasks.datasets.synthetic.program_operations import OUTPUTS, TRANSFORMS, Operation
from tasks.records import StdioTest

HELD_OUT_SEED = 2407
HELD_OUT_PROBLEMS = 128
READ = "xs = list(map(int, input().split()))"
MAX_TESTS = 8
FEWEST_TESTS = 5
CANDIDATE_INPUTS = 40
HELD_OUT_LENGTHS = (1, 2, 2, 3, 3, 3, 4, 4)
TRAINING_RARITY = 0.85
HELD_OUT_RARITY = 0.35
"""An operation of rank r in its table is drawn in proportion to r ** -rarity."""


@dataclass(frozen=True, slots=True)
class Use:
    """An operation with its argument, where it takes one."""

    operation: Operation
    argument: int | None = None

    @property
    def form(self) -> str:
        """The name with the argument, such as `add:3`."""
        return self.operation.name if self.argument is None else f"{self.operation.name}:{self.argument}"

    @property
    def code(self) -> str:
        """The line of Python."""
        return self.operation.code.replace("{n}", str(self.argument))


@dataclass(frozen=True, slots=True)
class Composition:
    """The canonical form of a problem: 1 to 4 transformations in order, and what is printed."""

    transforms: tuple[Use, ...]
    output: Use

    @property
    def form(self) -> str:
        """The composition as text, such as `even add:3 sort | sum`."""
        return " ".join(use.form for use in self.transforms) + " | " + self.output.form

    @property
    def program(self) -> str:
        """The reference program."""
        return "\n".join([READ, *(use.code for use in self.transforms), self.output.code]) + "\n"


@dataclass(frozen=True, slots=True)
class ProgramProblem:
    """A task in words, with its reference program."""

    form: str
    question: str
    program: str


def is_held_out(program: str) -> bool:
    """Whether a reference program belongs to the sixteenth of all programs that training never sees."""
    return hashlib.sha256(b"programs:" + program.encode()).digest()[0] < 16


def training_problems(seed: int, count: int) -> Iterator[ProgramProblem]:
    """The training stream: `count` problems, none of a held-out form; later operations of a table are rarer."""
    rng = generator(seed)
    for _ in range(count):
        composition = _compose(rng, 1 + below(rng, 4), rarity=TRAINING_RARITY)
        while is_held_out(composition.program):
            composition = _compose(rng, 1 + below(rng, 4), rarity=TRAINING_RARITY)
        yield tell(rng, composition)


def held_out_compositions(seed: int = HELD_OUT_SEED, count: int = HELD_OUT_PROBLEMS) -> list[Composition]:
    """Distinct held-out compositions, longer than in training and with rare operations less rare."""
    rng = generator(seed)
    found: dict[str, Composition] = {}
    while len(found) < count:
        composition = _compose(rng, HELD_OUT_LENGTHS[len(found) % 8], rarity=HELD_OUT_RARITY)
        if is_held_out(composition.program) and _is_telling(
            composition, [_numbers(rng, composition) for _ in range(40)]
        ):
            found.setdefault(composition.program, composition)
    return list(found.values())


def tell(rng: random.Random, composition: Composition) -> ProgramProblem:
    """Put a composition into words."""
    parts = [_phrase(rng, use) for use in composition.transforms]
    output = _phrase(rng, composition.output)
    opening = pick(
        rng, ("Read a line of integers.", "The input is one line of integers.", "Read integers from a line.")
    )
    if below(rng, 2):
        body = ", then ".join([*parts, output])
        question = f"{opening} {body[0].upper()}{body[1:]}."
    else:
        body = " ".join(f"{part[0].upper()}{part[1:]}." for part in [*parts, output])
        question = f"{opening} {body}"
    return ProgramProblem(composition.form, question, composition.program)


def choose_tests(rng: random.Random, composition: Composition) -> tuple[StdioTest, ...]:
    """At most 8 tests, the empty list among them, that fail every near miss that fails on any of 40 inputs."""
    inputs = [_numbers(rng, composition) for _ in range(CANDIDATE_INPUTS)]
    expected = [run(composition.program, numbers) for numbers in inputs]
    killers = []
    for miss in near_misses(composition):
        outputs = [run(miss.program, numbers) for numbers in inputs]
        kills = {i for i, output in enumerate(outputs) if output.split() != expected[i].split()}
        if kills:
            killers.append(kills)
    chosen: list[int] = []
    while killers and len(chosen) < MAX_TESTS - 1:
        best = max(range(len(inputs)), key=lambda i: (sum(i in kills for kills in killers), -i))
        chosen.append(best)
        killers = [kills for kills in killers if best not in kills]
    spare = (i for i in range(len(inputs)) if i not in chosen)
    while len(chosen) < FEWEST_TESTS - 1:
        chosen.append(next(spare))
    tests = [StdioTest(inputs[i], expected[i]) for i in chosen]
    return (*tests, StdioTest("\n", run(composition.program, "\n")))


def near_misses(composition: Composition) -> list[Composition]:
    """Near misses: one step left out, two swapped, one replaced, or an argument off by one."""
    steps = composition.transforms
    misses = [replace(composition, transforms=steps[:i] + steps[i + 1 :]) for i in range(len(steps))]
    misses += [
        replace(composition, transforms=(*steps[:i], steps[i + 1], steps[i], *steps[i + 2 :]))
        for i in range(len(steps) - 1)
    ]
    for i, use in enumerate(steps):
        others = [Use(o, _middle(o)) for o in TRANSFORMS if o.name != use.operation.name]
        if use.argument is not None:
            others += [replace(use, argument=use.argument + change) for change in (-1, 1)]
        misses += [replace(composition, transforms=(*steps[:i], other, *steps[i + 1 :])) for other in others]
    misses += [replace(composition, output=Use(o)) for o in OUTPUTS if o.name != composition.output.operation.name]
    return misses


def run(program: str, stdin: str) -> str:
    """What a program of this module prints for one line of input."""
    lines: list[str] = []
    names = {
        "input": lambda: stdin.rstrip("\n"),
        "print": lambda *values: lines.append(" ".join(map(str, values)) + "\n"),
    }
    exec(_compiled(program), names)  # noqa: S102 our own code, not a model's
    return "".join(lines)


def _middle(operation: Operation) -> int | None:
    """The middle one of an operation's arguments, or None where it takes none."""
    return operation.arguments[len(operation.arguments) // 2] if operation.arguments else None


@cache
def _compiled(program: str) -> CodeType:
    return compile(program, "<program>", "exec")


@cache
def _cumulative_weights(count: int, rarity: float) -> list[float]:
    return list(accumulate((rank + 1.0) ** -rarity for rank in range(count)))


def _draw(rng: random.Random, operations: tuple[Operation, ...], rarity: float) -> Use:
    """One operation, the one of rank r (from 1) with a probability in proportion to r ** -rarity."""
    weights = _cumulative_weights(len(operations), rarity)
    operation = operations[bisect_right(weights, rng.random() * weights[-1])]
    return Use(operation, pick(rng, operation.arguments) if operation.arguments else None)


def _compose(rng: random.Random, length: int, rarity: float) -> Composition:
    transforms: list[Use] = []
    while len(transforms) < length:
        use = _draw(rng, TRANSFORMS, rarity)
        if all(use.operation.name != other.operation.name for other in transforms):
            transforms.append(use)
    return Composition(tuple(transforms), _draw(rng, OUTPUTS, rarity))


def _phrase(rng: random.Random, use: Use) -> str:
    return pick(rng, use.operation.phrases).replace("{n}", str(use.argument))


def _is_telling(composition: Composition, inputs: list[str]) -> bool:
    """Whether every step matters to one input in six, and no single output is right for most inputs."""
    outputs = [run(composition.program, numbers) for numbers in inputs]
    if max(outputs.count(output) for output in outputs) > len(inputs) // 2:
        return False
    steps = composition.transforms
    shorter = (replace(composition, transforms=steps[:i] + steps[i + 1 :]).program for i in range(len(steps)))
    changed = (sum(run(program, i) != o for i, o in zip(inputs, outputs, strict=True)) for program in shorter)
    return min(changed) >= len(inputs) // 6


def _numbers(rng: random.Random, composition: Composition) -> str:
    """A line of up to 14 integers: some equal, some negative, some at the edge of an argument."""
    span = pick(rng, (10, 40, 150))
    numbers = [below(rng, 2 * span) - span // 2 for _ in range(1 + below(rng, 9))]
    numbers += [pick(rng, numbers) for _ in range(below(rng, 3))]
    arguments = [use.argument for use in composition.transforms if use.argument is not None]
    for argument in arguments:
        if below(rng, 2):
            numbers.insert(below(rng, len(numbers)), argument + below(rng, 3) - 1)
    return " ".join(map(str, numbers)) + "\n"
