"""Fixtures that several modules share."""

import pytest

from tasks.records import ScoredSample
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import score_identity
from tasks.store.sets import ScoreSet
from tests.store.damaged_store import PROBLEMS, K, Pristine
from tests.store.stored import LastLineGrader, fill


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Pristine:
    """Samples in two blocks, verdicts of two graders, scores, and the summary of a report."""
    folder = tmp_path_factory.mktemp("pristine")
    store = FsspecStore(str(folder))
    fill(store, problems=PROBLEMS, k=K, grader=LastLineGrader())
    sweep = fill(store, problems=PROBLEMS, k=K)
    scores = ScoreSet(store, sweep.samples.identity, score_identity(sweep.samples.identity, "reward", 1))
    for block, footer in sweep.samples.stored().items():
        samples, _ = sweep.samples.read(block)
        scored = [ScoredSample(each.problem_id, each.index, 0.5) for each in samples]
        scores.write(block, scored, samples_checksum=footer.checksum, made_by="m", seconds=1.0)
    report = f"reports/{sweep.samples.identity.name}/{sweep.grading.verdicts.identity.name}/summary.json"
    store.write(report, sweep.results().summarise().to_json().encode())
    return Pristine(folder, sweep.samples.identity.name)
