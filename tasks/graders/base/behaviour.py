"""What programs do on inputs without an expected output, as an answer that can be counted.

Two programs that print the same on every input are taken for one answer, so that a majority vote works for code without
shared tests (MBR-EXEC, Shi et al. 2022, arXiv 2204.11454; AlphaCode's clusters, Li et al. 2022). The inputs are
those of the public tests and changes of them (`tasks.graders.base.mutated_inputs`). Where no test is known to be
public, changes of the tests' inputs are used, which show their format; expected outputs play no part.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sandboxes import Limits, Outcome, Status
from sandboxes.batch import Batch, Job, normalized
from tasks.graders.base.mutated_inputs import mutated_inputs
from tasks.graders.base.requirements import require_check
from tasks.records import Problem, StdioCheck

RULE = 1
"""Part of every answer: it rises when the inputs or the comparison change, so that votes of two rules never mix."""


_FAILED, _NOTHING = "failed: ", "printed nothing"


class Behaviour(NamedTuple):
    """What a program did on all inputs, as a short checksum; None if it failed on all of them, or printed nothing on
    any. `lost` says why the
    sandbox could not tell; None where it could. `cpu_s` and `wall_s` are what finding out took."""

    answer: str | None
    lost: str | None
    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    key: tuple[str, str]
    did: list[str]
    inputs: int


def behaviours(
    programs: Iterable[tuple[Problem, str]], count: int, batch: Batch, normal: Callable[[Outcome], str | None]
) -> Mapping[tuple[str, str], Behaviour]:
    """The behaviour of each program by the problem's id and `normalized` text; equal programs run once.

    Args:
        programs: each with its problem, which has a `StdioCheck`.
        count: how many inputs programs run on, at most.
        batch: where they run.
        normal: the normal form of what an execution printed; None if the program failed.
    """
    distinct = {(problem.id, normalized(text)): problem for problem, text in programs if text.strip()}
    jobs = (_job(problem, text, count, normal) for (_, text), problem in distinct.items())
    found: dict[tuple[str, str], Behaviour] = {}
    for result in batch.run(jobs):
        run, lost = result.key, result.infrastructure
        answer = _answer(run) if lost is None else None
        found[run.key] = Behaviour(answer, None if lost is None else lost.detail, result.cpu_s, result.wall_s)
    return found


def _job(problem: Problem, text: str, count: int, normal: Callable[[Outcome], str | None]) -> Job[_Run]:
    inputs = _inputs(problem, count)
    did: list[str] = []

    def accept(number: int, outcome: Outcome) -> bool:  # noqa: ARG001
        printed = normal(outcome)
        if printed is None:
            did.append(f"{_FAILED}{outcome.status}")
        else:
            did.append(hashlib.sha256(printed.encode(errors="surrogateescape")).hexdigest() if printed else _NOTHING)
        # A program that is too slow for one input is as a rule too slow for most: each would take the whole limit.
        return outcome.status is not Status.TIME_LIMIT

    return Job(
        _Run((problem.id, text), did, len(inputs)),
        text,
        [each.encode() for each in inputs],
        accept,
        Limits(cpu_s=problem.time_limit_s, memory_mb=problem.memory_limit_mb),
    )


def _answer(run: _Run) -> str | None:
    if all(each == _NOTHING or each.startswith(_FAILED) for each in run.did):
        return None
    return hashlib.sha256("\n".join([str(RULE), str(run.inputs), *run.did]).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _inputs(problem: Problem, count: int) -> tuple[str, ...]:
    check = require_check(problem, StdioCheck)
    public = check.tests[: check.public or 0]
    templates = [test.stdin for test in public or check.tests]
    return mutated_inputs(problem.id, templates, count, known=bool(public))
