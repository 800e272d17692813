"""Small sets of recorded answers to the arithmetic problems, drawn and graded by the sweep as it is."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from sandboxes import Sandbox
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.engines.recorded import RecordedEngine
from tasks.graders import Grader
from tasks.graders.base.requirements import require_check
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.records import AnswerCheck, GradedSample, Price, Problem, Sample, Sampling, Verdict
from tasks.store import Store
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.budgets import Budget, UniformConfig
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.in_memory import InMemory

FINAL_ANSWER = FinalAnswerGrader()
PROBLEMS, K = 20, 30
"""The size of a set, unless a test asks for another."""


class LastLineGrader:
    """Only a last line that is just the answer is right: stricter than the final answer's own rule."""

    name, version, runs_code = "last_line", 2, False

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken

    def check(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            require_check(problem, AnswerCheck)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            answer = require_check(problem, AnswerCheck).answer
            right = sample.text.splitlines()[-1] == f"#### {answer}"
            verdict = Verdict.CORRECT if right else Verdict.WRONG
            if sample.index == self.broken:
                verdict = Verdict.INFRASTRUCTURE
            yield GradedSample(problem.id, sample.index, verdict, "" if right else "not the last line")


def answers(problems: int, k: int, seed: int = 0, padding: int = 0) -> dict[str, dict[int, Sample]]:
    """Right, almost right, wrong and absent answers; `padding` puts as many bytes before each, in hex."""
    found: dict[str, dict[int, Sample]] = {}
    for problem in ArithmeticDataset().load()[:problems]:
        answer = require_check(problem, AnswerCheck).answer
        chance = random.Random(f"{seed} {problem.id}")
        for index in range(k):
            text = chance.choice([f"#### {answer}", f"#### {answer}\nand so on ∑", "#### -1", "I do not know"])
            text = f"{chance.randbytes(padding).hex()}\n{text}"
            sample = Sample(problem.id, index, text, 30, chance.randint(1, 9), -chance.random(), "stop")
            found.setdefault(problem.id, {})[index] = sample
    return found


def sweep_of(
    store: Store,
    *,
    problems: int = 20,
    k: int = 30,
    seed: int = 0,
    grader: Grader = FINAL_ANSWER,
    budget: Budget = UniformConfig(),  # noqa: B008 - frozen
    price: Price | None = None,
) -> Sweep:
    dataset = ArithmeticDataset()
    all_problems = dataset.load()
    samples = sample_identity(
        "arithmetic-recorded", dataset="arithmetic", problems=problems_digest(all_problems), seed=seed
    )
    return Sweep(
        grading=Grading(
            selection=Selection.of(all_problems, k=k, first=problems), grader=grader, samples=SampleSet(store, samples)
        ),
        template=dataset.template,
        sampling=Sampling(0.6, 1.0, 160, (), seed),
        budget=budget,
        price=price,
    )


def draw(sweep: Sweep, *, seed: int = 0, padding: int = 0) -> None:
    engine = RecordedEngine(
        InMemory(answers(len(sweep.selection.problems), sweep.selection.k, seed, padding)), "recorded by a test"
    )
    for block in sweep.missing_samples():
        sweep.draw(block, engine)


def grade(sweep: Sweep) -> None:
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)


def fill(
    store: Store,
    *,
    problems: int = PROBLEMS,
    k: int = K,
    seed: int = 0,
    grader: Grader = FINAL_ANSWER,
    padding: int = 0,
) -> Sweep:
    """A set with every sample and verdict."""
    sweep = sweep_of(store, problems=problems, k=k, seed=seed, grader=grader)
    draw(sweep, seed=seed, padding=padding)
    grade(sweep)
    return sweep


def complete(sweep: Sweep) -> None:
    """Draw and grade round by round, until the sweep's budget asks for no more."""
    while sweep.missing_samples():
        draw(sweep)
        grade(sweep)


def requests_of(store: FsspecStore) -> list[tuple[str, str]]:
    """Every request that a store on S3 sends from now on: what is asked, and for which bytes."""
    sent: list[tuple[str, str]] = []
    client: Any = store._fs
    client.connect()
    client.s3.meta.events.register(
        "before-call.s3", lambda params, model, **_: sent.append((model.name, params["headers"].get("Range", "")))
    )
    return sent


def fetched(sent: list[tuple[str, str]]) -> int:
    """How many bytes were asked for; each request must say which."""
    total = 0
    for name, wanted in sent:
        if name == "GetObject" and wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            total += int(last) - int(first) + 1
    return total
