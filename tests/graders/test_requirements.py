"""What graders require of problems, and that a new kind of check needs nothing but its dataclass and its grader."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from sandboxes import Sandbox
from tasks.engines.recorded import RecordedEngine
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check, require_checks
from tasks.records import AnswerCheck, Check, GradedSample, Problem, Sample, Sampling, StdioCheck, StdioTest, Verdict
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.in_memory import InMemory


@dataclass(frozen=True, slots=True)
class TheoremCheck(Check):
    """A statement that a sample must prove, with the header that its prover loads first."""

    kind: ClassVar[str] = "theorem"
    noun: ClassVar[str] = "theorem"

    statement: str
    header: str = ""


class ProofGrader:
    """Stands for a grader that asks a prover."""

    name, version, runs_code = "proof", 1, False

    def check(self, problems: Sequence[Problem]) -> None:
        require_checks(problems, TheoremCheck, self.name)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            proved = sample.text.startswith(require_check(problem, TheoremCheck).statement)
            verdict = Verdict.CORRECT if proved else Verdict.WRONG
            yield GradedSample(problem.id, sample.index, verdict)


THEOREMS = [Problem(f"t{number}", "Prove it.", TheoremCheck(f"theorem t{number}")) for number in range(3)]


def test_a_new_kind_of_check_is_hashed_sampled_and_graded(tmp_path: Path):
    grader, store = ProofGrader(), FsspecStore(str(tmp_path))
    grader.check(THEOREMS)
    samples = sample_identity("theorems", problems=problems_digest(THEOREMS))
    sweep = Sweep(
        grading=Grading(selection=Selection.of(THEOREMS, k=2), grader=grader, samples=SampleSet(store, samples)),
        template="question",
        sampling=Sampling(0.6, 1.0, 160, (), 0),
    )
    drawn = {
        problem.id: {index: Sample(problem.id, index, f"theorem t{index} := by simp") for index in range(2)}
        for problem in THEOREMS
    }
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(drawn), "recorded by a test"))
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)
    assert sweep.results().tally.by_problem.c.tolist() == [1, 1, 0]
    with pytest.raises(UserError, match="proof cannot grade problem 'p': it has no theorem"):
        grader.check([*THEOREMS, Problem("p", "?", AnswerCheck("1"))])


@pytest.mark.parametrize(
    "check", [None, AnswerCheck(" "), StdioCheck(()), StdioCheck((StdioTest("", ""),)), TheoremCheck("t")], ids=str
)
def test_a_check_that_is_absent_empty_or_of_another_kind_is_refused(check: Check | None):
    problems = [Problem("good", "?", AnswerCheck("1")), Problem("bad", "?", check), Problem("worse", "?", check)]
    message = "grader: g cannot grade problem 'bad' (and 1 more): it has no gold answer; exclude it, or choose another"
    with pytest.raises(UserError, match=re.escape(message)):
        require_checks(problems, AnswerCheck, "g")
    with pytest.raises(UserError, match="problem 'bad' has no gold answer"):
        require_check(problems[1], AnswerCheck)
    assert require_check(problems[0], AnswerCheck).answer == "1"
