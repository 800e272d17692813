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
from collections.abc import Sequence
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
    known = [(problem, faults.get(hashlib.sha256(problem.question.encode()).hexdigest())) for problem in problems]
    faulty = [
        fault is not None and isinstance(problem.check, AnswerCheck) and problem.check.answer == fault.published
        for problem, fault in known
    ]
    if not correct:
        if any(faulty):
            _log.warning(
                "dataset: %d of the %d gold answers of %s are known to be wrong;"
                " `golds: corrected` uses the right ones",
                *(sum(faulty), len(problems), name),
            )
        return list(problems)
    return [
        replace(problem, check=AnswerCheck(fault.answer, published=fault.published)) if wrong and fault else problem
        for (problem, fault), wrong in zip(known, faulty, strict=True)
    ]
