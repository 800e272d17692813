"""A synthetic sample set for the parts of `store.py`, with text that compresses about as real samples do.

The text consists of sentences and lines of code from Python's documentation. Each problem has 300 of them. A sample is
12 to 30 of these with some words replaced, so samples of one problem resemble each other as real ones do.
"""

import random
import re
from pydoc_data.topics import topics

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


def problem_of(number: int) -> Problem:
    """The problem with this number; its question and answer do not matter."""
    return Problem(f"problem/{number:03d}", SENTENCES[number], AnswerCheck("1"))


def samples_of(number: int, start: int, stop: int) -> list[Sample]:
    """Samples [start, stop) of a problem. Each call with the same arguments returns the same samples."""
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
    """The sweep whose sample set is written and read."""
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
