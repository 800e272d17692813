"""What each bundled model is trained on, and for how long. Does not need PyTorch, so tests can read the examples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tasks.datasets.synthetic import arithmetic_problems, program_problems, theorem_problems
from tasks.prompts import render


class Example(NamedTuple):
    """One training text: the model reads the prompt and learns the completion."""

    form: str
    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines a training run."""

    name: str
    stream: Callable[[int, int], Iterator[Example]]
    steps: int
    seed: int = 1
    batch: int = 16
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    warm_up: int = 50
    vocabulary: int = 512
    tokenizer_examples: int = 10_000
    refused: Callable[[int, int], int] | None = None
    """How many examples of a stream (seed, count) are wrong; needs what decides that, such as a prover."""

    def examples(self) -> Iterator[Example]:
        """The training texts, in order. The tokenizer is trained on the first `tokenizer_examples` of them."""
        return self.stream(self.seed, self.steps * self.batch)

    def tokenizer_texts(self) -> Iterator[str]:
        """The texts that the tokenizer is trained on."""
        return (e.prompt + e.completion for e in islice(self.examples(), self.tokenizer_examples))


def _arithmetic(seed: int, count: int) -> Iterator[Example]:
    for problem in arithmetic_problems.training_problems(seed, count):
        yield Example(problem.form, render("arithmetic", problem.question), " " + problem.solution)


def _programs(seed: int, count: int) -> Iterator[Example]:
    for problem in program_problems.training_problems(seed, count):
        yield Example(problem.form, render("programs", problem.question), problem.program)


def _theorems(seed: int, count: int) -> Iterator[Example]:
    for problem in theorem_problems.training_problems(seed, count):
        yield Example(problem.form, render("theorems", problem.question), problem.proof)


def _refused_by_rocq(seed: int, count: int) -> int:
    from infra.training.accepted import refused

    return len(refused(theorem_problems.training_problems(seed, count)))


RECIPES = {
    "arithmetic": Recipe("arithmetic", _arithmetic, steps=1800),
    "programs": Recipe("programs", _programs, steps=900),
    "theorems": Recipe("theorems", _theorems, steps=1500, refused=_refused_by_rocq),
}
