"""A scorer that counts what it is asked, for tests of scoring stored samples."""

from collections.abc import Callable, Sequence
from typing import Any

from tasks.records import Sample, ScoredSample
from tasks.scorers import Candidate, Spent, Unscored
from tasks.sweep.scoring import Scoring
from tasks.sweep.sweep import Sweep
from tests.nothing_to_close import NothingToClose


class ToyScorer:
    """A config and scorer in one: it scores a text by its length, unless `answer` says something else."""

    name, version, label = "toy", 1, "toy"
    max_concurrent_calls = 1

    def __init__(self, answer: Callable[[Sequence[Candidate]], Any] | None = None, max_candidates: int = 1_000) -> None:
        self.answer = answer or (lambda candidates: [float(len(each.text)) for each in candidates])
        self.max_candidates = max_candidates
        self.asked: list[Candidate] = []

    def ingredients(self) -> dict[str, Any]:
        return {"by": "length"}

    def check(self) -> None:
        return None

    def open(self) -> "Opened":
        return Opened(self)


class Opened(NothingToClose):
    version, max_concurrent_calls, spent = "toy 0.1", 1, Spent()

    def __init__(self, config: ToyScorer) -> None:
        self.config = config
        self.max_candidates = config.max_candidates

    def score(self, candidates: Sequence[Candidate]) -> Sequence[float | Unscored]:
        self.config.asked += candidates
        scores: Sequence[float | Unscored] = self.config.answer(candidates)
        return scores


def scoring_of(sweep: Sweep, scorer: ToyScorer) -> Scoring:
    return Scoring(grading=sweep.grading, scorer=scorer, prompt_of=sweep.prompt_of)


def run(sweep: Sweep, scorer: ToyScorer) -> Scoring:
    """Score everything that is pending."""
    job = scoring_of(sweep, scorer)
    with job.claims, job.open() as opened:
        for block in job.pending_scores():
            assert job.score(block, opened)
    return job


def stored_scores(sweep: Sweep, job: Scoring) -> list[ScoredSample]:
    return [each for block, footer in sweep.samples.stored().items() for each in job.scores.read(block, footer)[0]]


def texts(sweep: Sweep) -> dict[tuple[str, int], Sample]:
    return {
        (each.problem_id, each.index): each for block in sweep.samples.blocks() for each in sweep.samples.read(block)[0]
    }
