"""What a problem's tests do with programs whose truth is known, graded again and again.

A test set that rejects a right program hides solved problems (35 of 122 CodeContests problems, says the paper's
appendix); one whose verdicts change from run to run makes results that nobody can repeat (34 of 300 issues of SWE-bench
Lite).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sandboxes import Sandbox
from tasks.audit.labelled import Known
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import GradedSample, Problem, Sample, Verdict

VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True)
class ProblemAudit:
    """One problem: how many programs are known to be right and wrong; how many of the right ones are always `rejected`,
    and of the wrong ones always `accepted`; how many of all are `flaky`, right in one run and not in another; how many
    were `undecided` in some run. `detail` is why the first right one was not found to be so."""

    problem_id: str
    right: int
    wrong: int
    rejected: int
    accepted: int
    flaky: int
    undecided: int
    detail: str

    @property
    def reason(self) -> str | None:
        """Why a sweep should leave the problem out; None if nothing is known against its tests."""
        reasons = []
        if self.rejected:
            reasons.append(f"rejects {self.rejected} of {self.right} known-correct")
        if self.flaky:
            reasons.append(f"verdict on {self.flaky} of {self.right + self.wrong} changes from run to run")
        return f"{', '.join(reasons)}: {self.detail}" if reasons else None


def audit(
    grader: Grader, problems: Sequence[Problem], known: Sequence[Known], repeats: int, sandbox: Sandbox | None
) -> list[ProblemAudit]:
    """Grade every program `repeats` times; one audit for each problem, in order."""
    of = {problem.id: problem for problem in problems}
    pairs = [(of[each.problem_id], Sample(each.problem_id, index, each.text)) for index, each in enumerate(known)]
    runs: list[list[GradedSample]] = [[] for _ in known]
    progress.get().plan(VERDICTS, repeats * len(pairs))
    for _ in range(repeats):
        # A separate call for each run: within one, equal programs share a verdict.
        for graded in grader.grade(pairs, sandbox):
            runs[graded.index].append(graded)
            progress.get().advance(VERDICTS, 1)
    by_problem: dict[str, list[tuple[Known, list[GradedSample]]]] = {problem.id: [] for problem in problems}
    for each, graded_samples in zip(known, runs, strict=True):
        by_problem[each.problem_id].append((each, graded_samples))
    return [_of_problem(problem_id, graded) for problem_id, graded in by_problem.items()]


def _of_problem(problem_id: str, graded: Sequence[tuple[Known, Sequence[GradedSample]]]) -> ProblemAudit:
    rejected = accepted = flaky = undecided = 0
    details = []
    for known, graded_samples in graded:
        verdicts = {
            each.verdict is Verdict.CORRECT for each in graded_samples if each.verdict is not Verdict.INFRASTRUCTURE
        }
        undecided += any(each.verdict is Verdict.INFRASTRUCTURE for each in graded_samples)
        flaky += len(verdicts) == 2
        rejected += known.correct and verdicts == {False}
        accepted += not known.correct and verdicts == {True}
        details += [
            f"{each.verdict} ({each.detail})"
            for each in graded_samples
            if known.correct and each.verdict not in {Verdict.CORRECT, Verdict.INFRASTRUCTURE}
        ]
    right = sum(known.correct for known, _ in graded)
    return ProblemAudit(
        problem_id,
        right,
        len(graded) - right,
        rejected,
        accepted,
        flaky,
        undecided,
        details[0] if details else "",
    )
