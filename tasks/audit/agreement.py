"""How far a grader agrees with what is known of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sandboxes import Sandbox
from tasks.audit.labelled import Known
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import AnswerCheck, Problem, Sample, Verdict

VERDICTS = "verdicts"


class Disagreement(NamedTuple):
    """A sample whose verdict differs from its label, and why."""

    known: Known
    gold: str | None
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a grader made of samples whose truth is known. `undecided` are those that no sandbox could grade."""

    grader: str
    source: str
    samples: int
    undecided: int
    false_positives: tuple[Disagreement, ...]
    false_negatives: tuple[Disagreement, ...]

    @property
    def agreed(self) -> int:
        """Samples whose verdict matches their label."""
        return self.samples - self.undecided - len(self.false_positives) - len(self.false_negatives)

    @property
    def rate(self) -> float:
        """The share of samples whose verdict matches their label; undecided ones do not count as agreement."""
        return self.agreed / self.samples


def agreement(
    grader: Grader, problems: Sequence[Problem], samples: Sequence[Known], sandbox: Sandbox | None
) -> Agreement:
    """Grade samples of one source and compare."""
    of = {problem.id: problem for problem in problems}
    # One index for each sample of a problem, so that the graded samples can be told apart.
    pairs = [(of[known.problem_id], Sample(known.problem_id, index, known.text)) for index, known in enumerate(samples)]
    progress.get().plan(VERDICTS, len(pairs))
    otherwise: dict[bool, list[tuple[int, Disagreement]]] = {True: [], False: []}
    undecided = 0
    for graded in grader.grade(pairs, sandbox):
        progress.get().advance(VERDICTS, 1)
        known = samples[graded.index]
        if graded.verdict is Verdict.INFRASTRUCTURE:
            undecided += 1
        elif (graded.verdict is Verdict.CORRECT) != known.correct:
            check = of[known.problem_id].check
            gold = check.answer if isinstance(check, AnswerCheck) else None
            case = Disagreement(known, gold, graded.verdict, graded.detail)
            otherwise[known.correct].append((graded.index, case))
    false_negatives, false_positives = (tuple(case for _, case in sorted(otherwise[right])) for right in (True, False))
    return Agreement(
        f"{grader.name} v{grader.version}",
        samples[0].source if samples else "",
        len(samples),
        undecided,
        false_positives,
        false_negatives,
    )
