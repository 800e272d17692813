"""What graders of final answers share: problems need a gold answer, and no sample is run."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from sandboxes import Sandbox
from tasks.graders import Decided
from tasks.graders.base.requirements import require_check, require_checks
from tasks.graders.base.text import TextGrader
from tasks.records import AnswerCheck, GradedSample, Problem, Sample

MAX_ANSWER = 1_000
"""Characters of the longest answer that is kept with its verdict."""


def kept(answer: str | None) -> str | None:
    """An answer as it is kept with its verdict: not at all where it is longer than any that people would count."""
    return answer if answer is not None and len(answer) <= MAX_ANSWER else None


class AnswerGrader(TextGrader, ABC):
    """A grader (`tasks.graders.Grader`) that has only to decide about one text. Subclasses set `name` and `version`."""

    runs_code: ClassVar[bool] = False

    @abstractmethod
    def decide(self, gold: str, text: str) -> Decided:
        """The verdict on a sample's text, without what the model thought before it."""

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no gold answer."""
        require_checks(problems, AnswerCheck, self.name)

    def grade(
        self,
        pairs: Sequence[tuple[Problem, Sample]],
        sandbox: Sandbox | None,  # noqa: ARG002
    ) -> Iterator[GradedSample]:
        """One graded sample for each pair, in order."""
        for problem, of_problem in groupby(pairs, itemgetter(0)):
            samples = [sample for _, sample in of_problem]
            decided = self.grade_texts(problem, [sample.text for sample in samples])
            for sample, (verdict, detail, answer) in zip(samples, decided, strict=True):
                yield GradedSample(sample.problem_id, sample.index, verdict, detail, answer=answer)

    def grade_texts(self, problem: Problem, texts: Sequence[str]) -> Iterator[Decided]:
        """See `GradesTexts`."""
        gold = require_check(problem, AnswerCheck).answer
        for text in texts:
            verdict, detail, answer = self.decide(gold, self.answer_text(text))
            yield verdict, detail, kept(answer)
