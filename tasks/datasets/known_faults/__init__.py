"""Gold answers that are known to be wrong as they were published, and the right ones.

MATH's answer is what stands in the last box of a solution. For the 5,000 test problems, that rule truncates eight
answers (each part has its own box) and takes two wrong (the last box holds something else). Published figures include
them: they are used as published unless a dataset is asked to correct them.

A fault is known by the SHA-256 of its question and by the answer that it should have: in a copy of the dataset where
that is another, nothing is corrected.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import NamedTuple

from tasks.records import AnswerCheck, Problem

_log = logging.getLogger(__name__)


class KnownFault(NamedTuple):
    """A gold answer that is known to be wrong: its row in the split (from 0), the SHA-256 of the question, the answer
    by the dataset's own rule, the right answer, and what is wrong."""

    row: int
    sha256: str
    published: str
    answer: str
    why: str


@cache
def known_faults(name: str) -> dict[str, KnownFault]:
    """The known faults of a dataset by the SHA-256 of the question."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    faults = [KnownFault(**fault) for fault in json.loads(text)]
    return {fault.sha256: fault for fault in faults}


def with_corrections(name: str, problems: Sequence[Problem], *, correct: bool) -> list[Problem]:
    """The problems with the right answers for those that are known to be wrong; unless asked to `correct` them, they
    stay as published, and one line says how many they are."""
    faults = known_faults(name)
    found = [_fault_of(problem, faults) for problem in problems]
    if correct:
        return [
            problem if fault is None else replace(problem, check=AnswerCheck(fault.answer, published=fault.published))
            for problem, fault in zip(problems, found, strict=True)
        ]
    if wrong := sum(fault is not None for fault in found):
        _log.warning(
            "dataset: %d of the %d gold answers of %s are known to be wrong; `golds: corrected` uses the right ones",
            *(wrong, len(problems), name),
        )
    return list(problems)


def _fault_of(problem: Problem, faults: Mapping[str, KnownFault]) -> KnownFault | None:
    fault = faults.get(hashlib.sha256(problem.question.encode()).hexdigest())
    gold = problem.check.answer if isinstance(problem.check, AnswerCheck) else None
    return fault if fault is not None and gold == fault.published else None
