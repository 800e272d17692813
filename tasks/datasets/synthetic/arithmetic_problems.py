"""Generated arithmetic word problems: a chain of 1 to 4 operations, told as a short story.

A problem's *form* is the chain itself, such as `234+57*3`. A form is held out or not by a hash of it alone, so a
chain that is asked in the held-out set never occurs in training, in whatever words. Streams are the same on every
version of Python: see `tasks.datasets.synthetic.portable_random`.
"""

import hashlib
import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tasks.datasets.synthetic.portable_random import below, generator, pick

HELD_OUT_SEED = 2407
HELD_OUT_PROBLEMS = 128
LARGEST_VALUE = 9_999
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
}


class Step(NamedTuple):
    """One operation of a chain, on the number so far."""

    operation: str
    number: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The canonical form of a problem: a starting number and the steps that follow."""

    start: int
    steps: tuple[Step, ...]

    @property
    def form(self) -> str:
        """The chain as text, read from left to right without precedence: `234+57*3` is (234 + 57) * 3."""
        return str(self.start) + "".join(f"{step.operation}{step.number}" for step in self.steps)

    def lines(self) -> list[str]:
        """Every step with its result, such as `234 + 57 = 291`."""
        value, lines = self.start, []
        for step in self.steps:
            result = _apply(value, step)
            lines.append(f"{value} {step.operation} {step.number} = {result}")
            value = result
        return lines

    def answer(self) -> int:
        """The number at the end of the chain."""
        value = self.start
        for step in self.steps:
            value = _apply(value, step)
        return value


@dataclass(frozen=True, slots=True)
class Story:
    """The words of one kind of story. `{a}` is a name, `{b}` another, `{t}` the things, `{n}` the number."""

    openings: tuple[str, ...]
    phrases: dict[str, tuple[str, ...]]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordProblem:
    """A question in words, with a worked solution that ends in `#### answer`."""

    form: str
    question: str
    solution: str
    answer: str


NAMES = ("Ada", "Ben", "Carla", "David", "Emma", "Femi", "Grace", "Hugo", "Ines", "Jamal", "Kira", "Luis", "Mei")
THINGS = ("stamps", "marbles", "shells", "coins", "cards", "apples", "books", "beads", "seeds", "pencils")

STORIES = (
    Story(
        openings=("{a} has {n} {t}.", "{a} starts with {n} {t}.", "In {a}'s box there are {n} {t}."),
        phrases={
            "+": ("{b} gives {a} {n} more.", "{a} buys another {n}.", "Then {a} finds {n} {t}."),
            "-": ("{a} gives {n} of them to {b}.", "{a} loses {n}.", "Then {a} sells {n} {t}."),
            "*": ("A year later {a} has {n} times as many.", "The number of {t} grows {n} fold."),
            "/": ("{a} keeps only one of every {n}.", "{a} keeps one part in {n}."),
        },
        questions=("How many {t} does {a} have now?", "How many {t} are left with {a}?"),
    ),
    Story(
        openings=("A shop has {n} {t} in stock.", "{a}'s shop opens with {n} {t}."),
        phrases={
            "+": ("A truck brings {n} more.", "{a} orders {n} more.", "Customers return {n} {t}."),
            "-": ("{n} are sold.", "{b} buys {n} of them.", "A flood spoils {n} {t}."),
            "*": ("The stock grows to {n} times its size.", "Soon there are {n} times as many."),
            "/": ("The shop keeps one part in {n}.", "Only one of every {n} stays in the shop."),
        },
        questions=("How many does the shop have in the end?", "How many {t} are in stock now?"),
    ),
    Story(
        openings=("A tank holds {n} litres of water.", "{a} fills a tank with {n} litres."),
        phrases={
            "+": ("Rain adds {n} litres.", "{a} pours in {n} litres.", "A pipe brings another {n} litres."),
            "-": ("{n} litres leak away.", "{b} takes out {n} litres.", "The garden uses {n} litres."),
            "*": ("Soon there is {n} times as much.", "{a} fills it to {n} times that."),
            "/": ("Only one part in {n} is left in it.", "{a} drains it to one part in {n}."),
        },
        questions=("How many litres are in the tank now?", "How much water is left, in litres?"),
    ),
    Story(
        openings=("{a} scores {n} points in a game.", "{a} starts a game with {n} points."),
        phrases={
            "+": ("A bonus brings {n} points.", "{a} wins {n} more.", "{b} gives {a} {n} points."),
            "-": ("A fault costs {n} points.", "{a} loses {n}.", "{b} takes {n} points."),
            "*": ("A lucky card makes the score {n} times as high.", "Then the score grows {n} fold."),
            "/": ("A bad card leaves one point of every {n}.", "{a} keeps one part in {n}."),
        },
        questions=("What is {a}'s score now?", "How many points does {a} have in the end?"),
    ),
)


def is_held_out(form: str) -> bool:
    """Whether a form belongs to the sixteenth of all forms that training never sees."""
    return hashlib.sha256(b"arithmetic:" + form.encode()).digest()[0] < 16


def training_problems(seed: int, count: int) -> Iterator[WordProblem]:
    """The training stream: `count` problems of 1 to 4 steps, none of a held-out form."""
    rng = generator(seed)
    for _ in range(count):
        chain = _chain(rng, steps=1 + below(rng, 4))
        while is_held_out(chain.form):
            chain = _chain(rng, steps=1 + below(rng, 4))
        yield _tell(rng, chain)


def held_out_problems(seed: int = HELD_OUT_SEED, count: int = HELD_OUT_PROBLEMS) -> list[WordProblem]:
    """Problems of distinct held-out forms, with as many of each number of steps."""
    rng = generator(seed)
    problems: dict[str, WordProblem] = {}
    while len(problems) < count:
        chain = _chain(rng, steps=1 + len(problems) % 4)
        if is_held_out(chain.form) and chain.form not in problems:
            problems[chain.form] = _tell(rng, chain)
    return list(problems.values())


def _apply(value: int, step: Step) -> int:
    return OPERATIONS[step.operation](value, step.number)


def _number(rng: random.Random) -> int:
    """A number of 2 digits (half of them), 3 digits (a third) or 4 digits."""
    low = pick(rng, (10, 10, 10, 100, 100, 1000))
    return low + below(rng, 9 * low)


def _chain(rng: random.Random, steps: int) -> Chain:
    value = start = _number(rng)
    chosen: list[Step] = []
    while len(chosen) < steps:
        step = _step(rng, value)
        if step is not None:
            chosen.append(step)
            value = _apply(value, step)
    return Chain(start, tuple(chosen))


def _step(rng: random.Random, value: int) -> Step | None:
    """A step that keeps the value an integer within bounds; None if the drawn operation cannot."""
    operation = pick(rng, "+-+-*/")
    if operation == "/":
        divisors = [divisor for divisor in range(2, 10) if value % divisor == 0 and value // divisor >= 10]
        return Step("/", pick(rng, divisors)) if divisors else None
    if operation == "*":
        factor = 2 + below(rng, 8) if rng.random() < 0.9 else 11 + below(rng, 19)
        return Step("*", factor) if value * factor <= LARGEST_VALUE else None
    number = _number(rng)
    if operation == "-":
        return Step("-", number) if value - number >= 10 else None
    return Step("+", number) if value + number <= LARGEST_VALUE else None


def _tell(rng: random.Random, chain: Chain) -> WordProblem:
    story = pick(rng, STORIES)
    a = pick(rng, NAMES)
    b = pick(rng, NAMES)
    while b == a:
        b = pick(rng, NAMES)
    t = pick(rng, THINGS)
    sentences = [pick(rng, story.openings).format(a=a, b=b, t=t, n=chain.start)]
    sentences += [pick(rng, story.phrases[step.operation]).format(a=a, b=b, t=t, n=step.number) for step in chain.steps]
    sentences.append(pick(rng, story.questions).format(a=a, b=b, t=t))
    answer = str(chain.answer())
    solution = "\n".join([*chain.lines(), f"#### {answer}"])
    return WordProblem(chain.form, " ".join(sentences), solution, answer)
