"""Code in the text of a sample, where graders look for it: among fences, the last complete program."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tasks.answers.fences import candidates
from tasks.answers.isolated.pool import Failure, shared
from tasks.records import GradedSample, Sample, Verdict

CPU_S = 2.0
"""CPU seconds that choosing among the programs of one sample may take. It is part of the graders' rule."""


class Several(NamedTuple):
    """Programs of which a sample means one; only parsing them tells which."""

    codes: tuple[str, ...]


Code = str | Several


def fenced(text: str) -> Code | None:
    """What `chosen` is to take the sample's program from; None where nothing is fenced."""
    found = candidates(text)
    if not found:
        return None
    return found[0] if len(found) == 1 else Several(tuple(found))


def last_complete(text: str) -> Code:
    """What `chosen` is to take the sample's program from: all of the text where nothing is fenced."""
    found = fenced(text)
    return text if found is None else found


def chosen(found: Iterable[tuple[Code, str | None]]) -> Iterator[str | None]:
    """The program of each sample, in order: of several, the one that `tasks.answers.fences.choose` chooses, or the last
    one where choosing takes too long. None where the process that chooses was lost.

    Args:
        found: what was found in each sample's text, and the name that its program must define, if any.
    """
    each = list(found)
    asked = [(code.codes, name) for code, name in each if isinstance(code, Several)]
    answers = shared("tasks.answers.fences:choose", CPU_S).map(asked) if asked else iter(())
    for code, _ in each:
        if not isinstance(code, Several):
            yield code
            continue
        answer = next(answers)
        if answer.failure is Failure.LOST:
            yield None
        else:
            yield code.codes[-1 if answer.failure else answer.value]


def read_programs(
    samples: Sequence[Sample], found: Iterable[tuple[Code, str | None]], lost: list[GradedSample]
) -> Iterator[tuple[int, str]]:
    """The position of each sample and its program, as `chosen` finds it. Those whose program could not be chosen, for a
    reason that has nothing to do with them, go to `lost` without a verdict."""
    for position, (sample, program) in enumerate(zip(samples, chosen(found), strict=True)):
        if program is None:
            reason = "the process that reads programs was lost"
            lost.append(GradedSample(sample.problem_id, sample.index, Verdict.INFRASTRUCTURE, reason))
        else:
            yield position, program
