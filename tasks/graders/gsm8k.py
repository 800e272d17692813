"""GSM8K's final answers by the paper's rule: the first `#### number`, as text.

Of the first `#### ` that a dollar sign, digit, dot or comma follows (a minus sign may stand before), these characters
are the answer; commas, dollar signs and a dot at the end are set aside, and what is left must be the gold answer. So
18.0 is not 18, and a space is needed after the marks (openai/grade-school-math; llmonk, `math_datasets.py`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.needs import check_answers, gold_of
from tasks.graders.outcomes import shortened

_MARKED = re.compile(r"#### (-?[$0-9.,]+)")


class Gsm8kConfig(BaseModel):
    """Judges the first `#### number` of a sample, as the paper does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = False
    name: Literal["gsm8k"] = "gsm8k"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no gold answer."""
        check_answers(problems, self.name)

    def grade(
        self,
        pairs: Sequence[tuple[Problem, Sample]],
        sandbox: Sandbox | None,  # noqa: ARG002
    ) -> Iterator[Judgement]:
        """One judgement a pair, in order: `correct`, `wrong`, or `no_answer` where no number is marked."""
        for problem, sample in pairs:
            yield Judgement(sample.problem_id, sample.index, *_judge(gold_of(problem), sample.text))


def extract(text: str) -> str | None:
    """The first marked number as the rule spells it; None where none is marked."""
    match = _MARKED.search(text)
    return re.sub(r"\.$", "", re.sub(r"[,$]", "", match[1])) if match else None


def _judge(gold: str, text: str) -> tuple[Verdict, str]:
    found = extract(text)
    if found is None:
        return Verdict.NO_ANSWER, "no #### number"
    if found == extract(f"#### {gold}"):
        return Verdict.CORRECT, ""
    return Verdict.WRONG, f"answered {shortened(found)}"
