"""What the parts of `store.py` share: rows of the table, and a set of samples whose text resembles that of real ones.

The text is made of sentences and lines of code from Python's own documentation. Each problem has a few hundred, and
each sample is about twenty of those, some with other words in them, so that samples of one problem resemble each other
as real ones do.
"""

import random
import re
from pydoc_data.topics import topics
from typing import NamedTuple

from tasks.graders.final_answer import FinalAnswerGrader
from tasks.records import AnswerCheck, Problem, Sample, Sampling
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep

SAMPLES = 10_000
SENTENCES = [each for text in topics.values() for each in re.split(r"(?<=\.)\s+|\n", text) if 30 < len(each) < 120]
WORDS = [word for sentence in SENTENCES for word in sentence.split()]


class Row(NamedTuple):
    """A figure of the store, what a rival needs for the same, and the target: at least, or at most."""

    figure: str
    ours: float
    rival: float | None
    unit: str
    least_ratio: float | None = None
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as much the rival needs."""
        return None if self.rival is None else self.rival / self.ours

    @property
    def holds(self) -> bool:
        """Whether the target is reached, if there is one."""
        enough = self.least_ratio is None or (self.ratio or 0) >= self.least_ratio
        return enough and (self.most is None or self.ours <= self.most)

    def __str__(self) -> str:
        target = f"≥ {self.least_ratio:g} ×" if self.least_ratio else f"≤ {self.most:g}" if self.most else ""
        rival = "" if self.rival is None else f"{self.rival:,.1f}"
        ratio = "" if self.ratio is None else f"{self.ratio:,.1f} ×"
        held = ("yes" if self.holds else "NO") if target else ""
        return f"{self.figure:<52}{self.ours:>10,.2f}{rival:>12}{ratio:>11}  {self.unit:<4}{target:>9}  {held}"


def problem_of(number: int) -> Problem:
    """A problem; only its name matters."""
    return Problem(f"problem/{number:03d}", SENTENCES[number], AnswerCheck("1"))


def samples_of(number: int, start: int, stop: int) -> list[Sample]:
    """Samples [start, stop) of a problem, the same whenever they are asked for."""
    of_problem = random.Random(number)
    pool = of_problem.sample(SENTENCES, 300)
    chance = random.Random(f"{number} {start}")
    return [_sample(number, index, pool, chance) for index in range(start, stop)]


def _sample(number: int, index: int, pool: list[str], chance: random.Random) -> Sample:
    lines = chance.choices(pool, k=chance.randint(12, 30))
    for position in range(0, len(lines), 2):
        words = lines[position].split(" ")
        words[chance.randrange(len(words))] = chance.choice(WORDS)
        lines[position] = " ".join(words)
    text = "\n".join(lines) + f"\n#### {chance.randrange(1_000)}"
    return Sample(
        f"problem/{number:03d}", index, text, 180, len(text) // 4, -0.31 * len(lines) * chance.random(), "stop"
    )


def sweep_in(store: FsspecStore, problems: int) -> Sweep:
    """The sweep whose set is written and read."""
    grader = FinalAnswerGrader()
    samples = sample_identity("benchmark", problems=problems)
    return Sweep(
        grading=Grading(
            selection=Selection.of([problem_of(number) for number in range(problems)], k=SAMPLES),
            grader=grader,
            samples=SampleSet(store, samples),
        ),
        template="arithmetic",
        sampling=Sampling(0.6, 1.0, 1_000, (), 0),
    )
