"""What selectors know of the samples of one problem."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints

Bools = NDArray[np.bool_]

NO_ANSWER = -1
"""The class of a sample without an answer."""


class Need(NamedTuple):
    """What a selector requires of every sample: `answers`, `passed`, or `score` with the score's name."""

    kind: str
    score: str = ""

    def __str__(self) -> str:
        return {
            "answers": "the samples' answers",
            "passed": "whether each sample passed the public tests",
        }.get(self.kind, f"the score {self.score!r}")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The samples of one problem, in any order; every array has shape (n,).

    `answers` are the classes of equal answers, as whole numbers from 0, and `NO_ANSWER`. `scores` are finite numbers by
    the score's name, higher for samples more likely to be correct. `passed` says which samples passed the tests that
    are known when one has to be picked. None where that is not known.

    Raises:
        UserError: lengths differ, there is no sample, or a score is not finite.
    """

    problem_id: str
    correct: Bools
    answers: Ints | None = None
    scores: Mapping[str, Floats] = field(default_factory=dict)
    passed: Bools | None = None

    def __post_init__(self) -> None:
        columns = {"answers": self.answers, "passed": self.passed, **self.scores}
        if not len(self.correct):
            raise UserError(f"problem {self.problem_id!r} has no samples to pick from")
        for name, column in columns.items():
            if column is not None and len(column) != len(self.correct):
                raise UserError(
                    f"problem {self.problem_id!r}: {len(self.correct)} samples, but {len(column)} values of {name}; "
                    "there must be one for every sample"
                )
        for name, score in self.scores.items():
            if not np.isfinite(score).all():
                at = int(np.flatnonzero(~np.isfinite(score))[0])
                raise UserError(
                    f"problem {self.problem_id!r}: {name} of the sample at position {at} is {score[at]}; "
                    "scores must be finite numbers"
                )

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.correct)

    def lacks(self, need: Need) -> bool:
        """Whether the samples do not have what a selector needs."""
        if need.kind == "score":
            return need.score not in self.scores
        return (self.answers if need.kind == "answers" else self.passed) is None

    @property
    def passing(self) -> Bools:
        """Which samples pass the public tests; none where that is not known."""
        return np.zeros(self.n, dtype=np.bool_) if self.passed is None else self.passed

    @cached_property
    def voters(self) -> Ints:
        """The answer classes of the samples, numbered by size from 0; `NO_ANSWER` where there is none."""
        answers = np.full(self.n, NO_ANSWER, dtype=np.int64) if self.answers is None else self.answers
        return _numbered_by_size(answers)

    def tally(self) -> "Tally":
        """The votes of all samples."""
        return Tally.of(self.voters, self.correct)

    def at(self, positions: Ints) -> "Outcomes":
        """The samples at some positions; one that occurs more than once counts as often."""
        return Outcomes(
            self.problem_id,
            self.correct[positions],
            None if self.answers is None else self.answers[positions],
            {name: score[positions] for name, score in self.scores.items()},
            None if self.passed is None else self.passed[positions],
        )

    def in_canonical_order(self) -> "Outcomes":
        """The same samples, ordered and their answers numbered by what is known of them alone."""
        columns: list[NDArray[Any]] = [self.correct, *([] if self.passed is None else [self.passed])]
        columns += [self.scores[name] for name in sorted(self.scores)]
        order = np.lexsort((*columns, self.voters))
        rows, voters = np.column_stack(columns)[order], self.voters[order]
        starts = np.searchsorted(voters, np.arange(voters[-1] + 2))
        blocks = [rows[start:stop] for start, stop in itertools.pairwise(starts)]
        ranked = sorted(range(len(blocks)), key=lambda answer: (-len(blocks[answer]), blocks[answer].tobytes()))
        rank = np.full(len(blocks) + 1, NO_ANSWER, dtype=np.int64)
        rank[ranked] = np.arange(len(blocks))
        numbered = rank[voters]
        again = np.argsort(numbered, kind="stable")
        answers = None if self.answers is None else numbered[again]
        return replace(self.at(order[again]), answers=answers)


class Tally(NamedTuple):
    """Votes by answer class: `votes` and `values`, the share of each class's samples that is correct (as a rule 0 or
    1), both of shape (classes,); `silent` samples have no answer."""

    votes: Ints
    values: Floats
    silent: int

    @classmethod
    def of(cls, voters: Ints, correct: Bools) -> "Tally":
        """The votes of samples of the classes `voters`, which are numbered from 0 without gaps."""
        voting = voters >= 0
        votes = np.bincount(voters[voting]).astype(np.int64)
        right = np.bincount(voters[voting], weights=correct[voting], minlength=len(votes))
        return cls(votes, right / np.maximum(votes, 1), int((~voting).sum()))

    @property
    def n(self) -> int:
        """How many samples there are, with or without an answer."""
        return int(self.votes.sum()) + self.silent

    @property
    def modal(self) -> float:
        """The accuracy of the most frequent answer, the mean of those that tie; 0 where no sample has an answer."""
        if not len(self.votes):
            return 0.0
        return float(self.values[self.votes == self.votes.max()].mean())


def _numbered_by_size(answers: Ints) -> Ints:
    """Classes numbered from 0 by falling size, so that nothing depends on how they were numbered before."""
    numbered = np.full(len(answers), NO_ANSWER, dtype=np.int64)
    voting = answers >= 0
    _, where, sizes = np.unique(answers[voting], return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    numbered[voting] = rank[where]
    return numbered
