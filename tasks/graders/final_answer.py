"""The final answer after `####`, compared with the gold answer as GSM8K does: as text, once spelling is set aside."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.needs import check_answers

# The first marker counts, with what follows it on its line: whatever a sample goes on to say cannot mend it.
_MARKED = re.compile(r"####[^\S\n]*(\S[^\n]*)")


class FinalAnswerConfig(BaseModel):
    """Judges the first `#### answer` of a sample."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = False
    name: Literal["final_answer"] = "final_answer"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no gold answer."""
        check_answers(problems, self.name)

    def grade(
        self,
        pairs: Sequence[tuple[Problem, Sample]],
        sandbox: Sandbox | None,  # noqa: ARG002
    ) -> Iterator[Judgement]:
        """One judgement a pair, in order: `correct`, `wrong`, or `no_answer` where there is no marked answer."""
        for problem, sample in pairs:
            yield Judgement(sample.problem_id, sample.index, *_judge(problem, sample.text))


def extract(text: str) -> str | None:
    """The first marked answer, normalised; None where nothing is marked."""
    match = _MARKED.search(text)
    return normalise(match.group(1)) if match else None


def normalise(answer: str) -> str:
    """The answer without commas, spaces and dollar signs, and without a dot at its end."""
    return re.sub(r"[,$\s]", "", answer).removesuffix(".")


def _judge(problem: Problem, text: str) -> tuple[Verdict, str]:
    if problem.answer is None:
        raise ValueError(f"problem {problem.id!r} has no gold answer; the final_answer grader cannot judge it")
    found = extract(text)
    if found is None:
        return Verdict.NO_ANSWER, "no #### answer"
    if found == normalise(problem.answer):
        return Verdict.CORRECT, ""
    return Verdict.WRONG, f"answered {found[:100]}"
