"""Grading answers where algebra must decide: what is plain at sight is decided here, the rest in killable processes.

Equal questions are asked once. A comparison that takes too long, too much memory or too deep a nesting costs its own
verdict, and nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandboxes import Sandbox
from tasks.answers.isolated.pool import Answer, Failure, shared
from tasks.errors import MonkeysError
from tasks.graders import Decided
from tasks.graders.base.answer_grader import kept
from tasks.graders.base.requirements import check_algebra, require_check, require_checks
from tasks.graders.base.text import TextGrader
from tasks.graders.base.verdicts import shortened
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

CPU_S = 5.0
"""CPU seconds that one comparison may take. It is part of the graders' rule: changing it is a new version of them."""

LONGEST = 1_000
"""The most characters of an answer that algebra compares; a longer one is correct only if it is the gold text."""


@dataclass(frozen=True, slots=True)
class AlgebraQuery:
    """What algebra is asked (text alone, one of our functions), and the answer that it is about."""

    arguments: tuple[str, ...]
    answered: str
    answer: str | None = None


Decision = AlgebraQuery | Decided


class AlgebraGrader(TextGrader, ABC):
    """A grader (`tasks.graders.Grader`) that has only to say what is plain of one text, and what to ask of algebra.
    Subclasses set `name`, `version` and `function`."""

    runs_code: ClassVar[bool] = False
    function: ClassVar[str]
    """The name in `tasks.answers.symbolic_equality` of what answers: True, False, or None for "no answer found"."""

    @abstractmethod
    def decide(self, gold: str, text: str) -> Decision:
        """The verdict on a sample's text with a few words on it, or what to ask."""

    @abstractmethod
    def plainly_same(self, one: str, other: str) -> bool | None:
        """Whether two answers in normal form are the same; None where algebra has to decide."""

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no gold answer, or the extra `math` is not installed."""
        require_checks(problems, AnswerCheck, self.name)
        check_algebra(self.name)

    def grade(
        self,
        pairs: Sequence[tuple[Problem, Sample]],
        sandbox: Sandbox | None,  # noqa: ARG002
    ) -> Iterator[GradedSample]:
        """One graded sample for each pair: those that are plain first, then those that algebra decides."""
        asked: dict[tuple[str, ...], list[tuple[Sample, AlgebraQuery]]] = {}
        for problem, sample in pairs:
            decision = self.decide(require_check(problem, AnswerCheck).answer, self.answer_text(sample.text))
            if isinstance(decision, AlgebraQuery):
                asked.setdefault(decision.arguments, []).append((sample, decision))
            else:
                verdict, detail, found = decision
                yield GradedSample(sample.problem_id, sample.index, verdict, detail, answer=kept(found))
        answers = shared(f"tasks.answers.symbolic_equality:{self.function}", CPU_S).map(asked)
        for waiting, answer in zip(asked.values(), answers, strict=True):
            cpu_s = answer.cpu_s
            for sample, question in waiting:
                verdict, detail = _verdict(answer, question.answered)
                found = None if verdict is Verdict.NO_ANSWER else kept(question.answer)
                yield GradedSample(sample.problem_id, sample.index, verdict, detail, cpu_s=cpu_s, answer=found)
                cpu_s = 0.0  # asked once

    def same_answers(self, pairs: Iterable[tuple[str, str]]) -> Iterator[bool]:
        """Whether two answers in normal form are the same (`tasks.graders.base.answer_classes`), the first taken for
        the gold answer. Where a comparison exceeds a limit, they are not.

        Raises:
            MonkeysError: a process that compared answers was lost.
        """
        every = list(pairs)
        known = {pair: self.plainly_same(*pair) for pair in every}
        asked = [pair for pair, same in known.items() if same is None]
        decided = shared(f"tasks.answers.symbolic_equality:{self.function}", CPU_S).map(asked)
        for pair, answer in zip(asked, decided, strict=True):
            if answer.failure is Failure.LOST:
                raise MonkeysError("the process that compares answers was lost; run the command again")
            known[pair] = bool(answer.value)
        return (bool(known[pair]) for pair in every)


_ENDED = {
    Failure.TIME: (Verdict.TIME_LIMIT, f"comparing took more than {CPU_S:g} s"),
    Failure.MEMORY: (Verdict.MEMORY_LIMIT, "comparing took too much memory"),
    Failure.DEPTH: (Verdict.WRONG, "nested too deep to be compared"),
    Failure.CRASH: (Verdict.ERROR, "comparing it crashed"),
    Failure.LOST: (Verdict.INFRASTRUCTURE, "the process that compares answers was lost"),
}


def _verdict(answer: Answer, answered: str) -> tuple[Verdict, str]:
    if answer.failure is not None:
        verdict, why = _ENDED[answer.failure]
        return verdict, f"{why}: {shortened(answered)}"
    if answer.value is None:
        return Verdict.NO_ANSWER, "no final answer"
    return (Verdict.CORRECT, "") if answer.value else (Verdict.WRONG, f"answered {shortened(answered)}")
