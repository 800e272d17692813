"""A sweep reports how many samples were graded by the execution of an equal program, and where programs ran."""

from pathlib import Path

import pytest

from sandboxes import Sandbox
from tasks.datasets.programs import ProgramsDataset
from tasks.engines.recorded import RecordedEngine
from tasks.graders.stdio import StdioGrader
from tasks.records import Sample, Sampling
from tasks.report.sweep.publish import publish
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.in_memory import InMemory
from tests.sandboxes.conftest import open_sandbox

# Of each problem's ten samples, three equal an earlier one; two have no program, and so are not deduplicated.
PROGRAMS = ("print(1)", "print(1)", "print(2)", "", "print(1)", " ", "print(3)", "1/0", "print(2)", "print(4)")


def drawn_and_graded(store: FsspecStore, sandbox: Sandbox) -> Sweep:
    problems = ProgramsDataset().load()
    samples = sample_identity("programs-recorded", dataset="programs", problems=problems_digest(problems))
    grader = StdioGrader()
    sweep = Sweep(
        grading=Grading(
            selection=Selection.of(problems, k=10, first=2), grader=grader, samples=SampleSet(store, samples)
        ),
        template="programs",
        sampling=Sampling(temperature=1.0, top_p=1.0, max_tokens=9, stop=(), seed=0),
    )
    rows = {problem.id: {n: Sample(problem.id, n, text) for n, text in enumerate(PROGRAMS)} for problem in problems[:2]}
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(rows), "recorded"))
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, sandbox)
    return sweep


@pytest.mark.usefixtures("without_figures_of_counts")
def test_the_number_of_deduplicated_samples_is_reported(tmp_path: Path) -> None:
    with open_sandbox("bubblewrap") as sandbox:
        sweep = drawn_and_graded(FsspecStore(str(tmp_path)), sandbox)
        results = sweep.results()
        assert results.tally.deduplicated == 6
        assert results.tally.sandboxes == (f"bubblewrap, memory bounded by {sandbox.memory_bound}",)
    publication = publish(sweep.grading, results, results.summarise(), "")
    assert publication.grading_note.startswith("20 samples graded in bubblewrap, memory bounded by ")
    assert publication.grading_note.endswith("; deduplicated: 6 of 20 (30%)")
    (page,) = tmp_path.rglob("report.html")
    assert "6 of 20 (30%)" in page.read_text()
