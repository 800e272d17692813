"""The votes of each problem by round: how many of its samples have which answer, and which round settles them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.records import Verdict
from tasks.scaling.arrays import Ints
from tasks.selection.outcomes import Bools
from tasks.store.blocks import Block
from tasks.sweep.budgets import StopsByVotes

ANSWERED_COLUMNS = ("answer",)
"""The columns of verdict tables that `Votes` needs in addition to `GRADED_COLUMNS`."""


class Standing(NamedTuple):
    """The vote after a round: `votes` in all, and the share of the leading answer's samples that is correct (the mean
    of those that tie; 0 without an answer)."""

    votes: int
    right: float


class Votes:
    """Votes by problem and round. Answers are those that the grader stored; equal ones have the same text. A sample
    without an answer, or lost to the infrastructure, has no vote. `add` each graded block once."""

    def __init__(self, problem_ids: Sequence[str], ends: Sequence[int], budget: StopsByVotes) -> None:
        self._budget = budget
        self._ends = tuple(ends)
        self._position = {problem: position for position, problem in enumerate(problem_ids)}
        # By problem and round: (answer, whether correct) of the samples that the round adds.
        self._added = [[Counter[tuple[str, bool]]() for _ in ends] for _ in problem_ids]

    def add(self, block: Block, table: Any) -> None:
        """Count the answers of a block, a `pyarrow.Table` with `index`, `problem_id`, `verdict` and `answer`."""
        start = 0
        for number, end in enumerate(self._ends):
            if block.start < end and block.stop > start:
                self._add(number, table.filter(_within(table["index"], start, end)))
            start = end

    def _add(self, number: int, table: Any) -> None:
        text = {name: table[name].cast(pa.string()) for name in ("problem_id", "verdict", "answer")}
        voting = pa.table(text).filter(pc.is_valid(text["answer"]))
        counted = voting.group_by(list(text), use_threads=False).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            position = self._position.get(row["problem_id"])
            if position is not None and row["verdict"] != Verdict.INFRASTRUCTURE:
                key = (row["answer"], row["verdict"] == Verdict.CORRECT)
                self._added[position][number][key] += row["count_all"]

    def settled(self, finished: Bools) -> Bools:
        """After which finished rounds a problem's vote is settled, shape (problems, rounds): up to the first such
        round; what comes later is not looked at."""
        found = np.zeros(finished.shape, dtype=np.bool_)
        for position, rounds in enumerate(self._added):
            votes: Counter[str] = Counter()
            for number, added in enumerate(rounds):
                if not finished[position, number]:
                    break
                for (answer, _), count in added.items():
                    votes[answer] += count
                if self._budget.settled(sorted(votes.values(), reverse=True)):
                    found[position, number] = True
                    break
        return found

    def standing(self, rounds: Ints) -> list[Standing]:
        """The vote of each problem after a round of it, shape (problems,)."""
        return [_standing(added[: last + 1]) for added, last in zip(self._added, rounds.tolist(), strict=True)]


def _within(indices: Any, start: int, end: int) -> Any:
    return pc.and_(pc.greater_equal(indices, start), pc.less(indices, end))


def _standing(rounds: Sequence[Counter[tuple[str, bool]]]) -> Standing:
    votes: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for added in rounds:
        for (answer, right), count in added.items():
            votes[answer] += count
            correct[answer] += count * right
    if not votes:
        return Standing(0, 0.0)
    most = max(votes.values())
    leading = [answer for answer, count in votes.items() if count == most]
    return Standing(sum(votes.values()), sum(correct[answer] for answer in leading) / (most * len(leading)))
