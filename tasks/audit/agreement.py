"""How often a grader's verdicts agree with the labels of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sandboxes import Sandbox
from tasks.audit.labelled import to_grade
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import AnswerCheck, LabelledSample, Problem, Verdict

VERDICTS = "verdicts"


class Disagreement(NamedTuple):
    """A sample whose verdict contradicts its label. `gold` is the problem's gold answer, where it has one; `detail` is
    the grader's reason."""

    sample: LabelledSample
    gold: str | None
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one grader graded the labelled samples of one source. `not_graded` counts those on which the sandbox failed.

    A false positive is a wrong sample that was accepted; a false negative is a correct one that was not.
    """

    grader: str
    source: str
    samples: int
    not_graded: int
    false_positives: tuple[Disagreement, ...]
    false_negatives: tuple[Disagreement, ...]

    @property
    def agreed(self) -> int:
        """Samples whose verdict matches their label."""
        return self.samples - self.not_graded - len(self.false_positives) - len(self.false_negatives)

    @property
    def rate(self) -> float:
        """The share of samples whose verdict matches their label; those that were not graded do not match."""
        return self.agreed / self.samples


def agreement(
    grader: Grader, problems: Sequence[Problem], samples: Sequence[LabelledSample], sandbox: Sandbox | None
) -> Agreement:
    """Grade labelled samples of one source, and compare the verdicts with the labels."""
    of = {problem.id: problem for problem in problems}
    pairs = to_grade(problems, samples)
    progress.get().plan(VERDICTS, len(pairs))
    contradicted: dict[bool, list[tuple[int, Disagreement]]] = {True: [], False: []}
    not_graded = 0
    for graded in grader.grade(pairs, sandbox):
        progress.get().advance(VERDICTS, 1)
        sample = samples[graded.index]
        if graded.verdict is Verdict.INFRASTRUCTURE:
            not_graded += 1
        elif (graded.verdict is Verdict.CORRECT) != sample.correct:
            check = of[sample.problem_id].check
            gold = check.answer if isinstance(check, AnswerCheck) else None
            case = Disagreement(sample, gold, graded.verdict, graded.detail)
            contradicted[sample.correct].append((graded.index, case))
    false_negatives, false_positives = (
        tuple(case for _, case in sorted(contradicted[label])) for label in (True, False)
    )
    return Agreement(
        f"{grader.name} v{grader.version}",
        samples[0].source if samples else "",
        len(samples),
        not_graded,
        false_positives,
        false_negatives,
    )
