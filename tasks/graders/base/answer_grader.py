"""What graders of final answers share: problems need a gold answer, and no sample is run."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from sandboxes import Sandbox
from tasks.graders.base.requirements import require_check, require_checks
from tasks.graders.base.text import TextGrader
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

MAX_ANSWER = 1_000
"""Characters of the longest answer that is kept with its verdict."""

Decided = tuple[Verdict, str, str | None]
"""A verdict, a few words on it, and the answer in the grader's normal form, where there is one."""


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
        for problem, sample in pairs:
            gold = require_check(problem, AnswerCheck).answer
            verdict, detail, answer = self.decide(gold, self.answer_text(sample.text))
            yield GradedSample(sample.problem_id, sample.index, verdict, detail, answer=kept(answer))
