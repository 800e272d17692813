"""What scoring a sample set costs beyond the time of the model that scores it.

    python benchmarks/scoring.py [--problems 32] [--samples 100]

The bundled scorer, the smallest model there is, scores distinct synthetic samples in a store: reading them, equal
texts, claims, and storing scores are compared with the CPU time of the calls of the model. A larger model takes longer
for each sample, and the rest stays the same. Exits with 1 if the target is missed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from results import Result, at_most, report
from store_set import SENTENCES, problem_of, sweep_in

from tasks.records import Sample
from tasks.scorers import Candidate
from tasks.scorers.onnx import OnnxScorerConfig
from tasks.store.blocks import missing
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.scoring import Scoring
from tasks.sweep.sweep import Sweep

MAX_SHARE = 0.05


class Timed:
    """A scorer whose calls are timed, in CPU seconds of the process."""

    def __init__(self, scorer: Any) -> None:
        self._scorer = scorer
        self.seconds = 0.0

    def score(self, candidates: Sequence[Candidate]) -> Any:
        """As the scorer does."""
        started = time.process_time()
        try:
            return self._scorer.score(candidates)
        finally:
            self.seconds += time.process_time() - started

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)


def store(sweep: Sweep, problems: int, samples: int) -> None:
    """Store distinct samples of about 200 characters, a tenth of which occur twice."""
    chance = random.Random(0)
    for block in missing([], range(problems), samples):
        of_block = [problem_of(number) for number in block.positions]
        drawn = []
        for problem in of_block:
            texts = ["\n".join(chance.sample(SENTENCES, 3)) for _ in block.indices]
            texts[: len(texts) // 10] = texts[-(len(texts) // 10) :]
            drawn += [
                Sample(problem.id, index, text, 180, 60, -20.0, "stop")
                for index, text in zip(block.indices, texts, strict=True)
            ]
        sweep.samples.write(block, of_block, drawn, "benchmark", 1.0)


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", type=int, default=32)
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sweep = sweep_in(FsspecStore(folder), options.problems)
        store(sweep, options.problems, options.samples)
        scoring = Scoring(grading=sweep.grading, scorer=OnnxScorerConfig(model="programs"), prompt_of=sweep.prompt_of)
        with scoring.claims, scoring.open() as opened:
            timed = Timed(opened._scorer)
            opened._scorer = timed
            started = time.process_time()
            for block in scoring.pending_scores():
                scoring.score(block, opened)
            total = time.process_time() - started
        scored = sum(block.samples - footer.unscored for block, footer in scoring.scores.stored().items())
    share = total / timed.seconds - 1
    return report(
        [
            Result("samples with a score", scored),
            Result("CPU time of the model", timed.seconds, " s"),
            Result("CPU time of all else / of the model", share, target=at_most(share, MAX_SHARE)),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
