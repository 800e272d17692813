"""Problems' tests, checked with programs that are known to be correct or wrong, each graded several times.

Tests that reject a correct program hide solved problems (35 of 122 CodeContests problems, according to the paper's
appendix). Flaky tests, whose verdicts change from run to run, give results that cannot be reproduced (34 of the 300
issues of SWE-bench Lite).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sandboxes import Sandbox
from tasks.audit.labelled import to_grade
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import GradedSample, LabelledSample, Problem, Verdict

VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True)
class ProblemAudit:
    """What the tests of one problem do with its labelled programs.

    Attributes:
        correct, wrong: how many programs are labelled so.
        rejected: correct programs that no run accepted.
        accepted: wrong programs that every run accepted.
        flaky: programs that were accepted in one run and not in another.
        not_graded: programs on which the sandbox failed in some run.
        detail: the first verdict against a correct program; empty if there is none.
    """

    problem_id: str
    correct: int
    wrong: int
    rejected: int
    accepted: int
    flaky: int
    not_graded: int
    detail: str

    @property
    def reason(self) -> str | None:
        """Why a sweep should exclude the problem; None if nothing speaks against its tests."""
        reasons = []
        if self.rejected:
            reasons.append(f"rejects {self.rejected} of {self.correct} known-correct")
        if self.flaky:
            reasons.append(f"verdict on {self.flaky} of {self.correct + self.wrong} changes from run to run")
        return f"{', '.join(reasons)}: {self.detail}" if reasons else None


def audit(
    grader: Grader,
    problems: Sequence[Problem],
    samples: Sequence[LabelledSample],
    repeats: int,
    sandbox: Sandbox | None,
) -> list[ProblemAudit]:
    """Grade every program `repeats` times; returns one audit for each problem, in order."""
    pairs = to_grade(problems, samples)
    runs: list[list[GradedSample]] = [[] for _ in samples]
    progress.get().plan(VERDICTS, repeats * len(pairs))
    for _ in range(repeats):
        # A separate call for each run: within one, duplicate programs share a verdict.
        for graded in grader.grade(pairs, sandbox):
            runs[graded.index].append(graded)
            progress.get().advance(VERDICTS, 1)
    by_problem: dict[str, list[tuple[LabelledSample, list[GradedSample]]]] = {problem.id: [] for problem in problems}
    for each, graded_samples in zip(samples, runs, strict=True):
        by_problem[each.problem_id].append((each, graded_samples))
    return [_of_problem(problem_id, graded) for problem_id, graded in by_problem.items()]


def _of_problem(problem_id: str, graded: Sequence[tuple[LabelledSample, Sequence[GradedSample]]]) -> ProblemAudit:
    rejected = accepted = flaky = not_graded = 0
    details = []
    for sample, graded_samples in graded:
        verdicts = {
            each.verdict is Verdict.CORRECT for each in graded_samples if each.verdict is not Verdict.INFRASTRUCTURE
        }
        not_graded += any(each.verdict is Verdict.INFRASTRUCTURE for each in graded_samples)
        flaky += len(verdicts) == 2
        rejected += sample.correct and verdicts == {False}
        accepted += not sample.correct and verdicts == {True}
        details += [
            f"{each.verdict} ({each.detail})"
            for each in graded_samples
            if sample.correct and each.verdict not in {Verdict.CORRECT, Verdict.INFRASTRUCTURE}
        ]
    correct = sum(sample.correct for sample, _ in graded)
    return ProblemAudit(
        problem_id,
        correct,
        len(graded) - correct,
        rejected,
        accepted,
        flaky,
        not_graded,
        details[0] if details else "",
    )
