"""How far each problem is in the rounds of its budget, by the verdicts on its samples below the end of each round."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.records import Verdict
from tasks.scaling.arrays import Ints
from tasks.scaling.estimators import Counts
from tasks.scaling.sequential_stopping import Rounds
from tasks.scaling.settled_votes import DeliveredVote, Voting
from tasks.store.blocks import Block
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.tables import count_verdicts
from tasks.sweep.budgets import Budget, StopsByVotes
from tasks.sweep.votes import ANSWERED_COLUMNS, Votes

GRADED_COLUMNS = (*SAMPLE_KEY, "verdict")
"""The columns of verdict tables that every budget needs."""


def graded_columns(budget: Budget) -> tuple[str, ...]:
    """The columns of verdict tables that `RoundProgress` needs under a budget."""
    return (*GRADED_COLUMNS, *ANSWERED_COLUMNS) if isinstance(budget, StopsByVotes) else GRADED_COLUMNS


class RoundProgress:
    """Verdicts by problem and round of a budget up to k. `add` each graded block once."""

    def __init__(self, problem_ids: Sequence[str], budget: Budget, k: int) -> None:
        self._plan = plan = budget.plan(k)
        self._votes = Votes(problem_ids, plan.ends, budget) if isinstance(budget, StopsByVotes) else None
        self._ids = tuple(problem_ids)
        self._position = {problem: position for position, problem in enumerate(problem_ids)}
        self._ends = np.array(plan.ends, dtype=np.int64)
        self._limits = np.array(plan.limits, dtype=np.int64)
        self._first: dict[str, int] = {}
        self._given = {verdict: np.zeros((len(self._ids), len(plan.ends)), dtype=np.int64) for verdict in Verdict}

    def add(self, block: Block, table: Any) -> None:
        """Count the verdicts on a block, a `pyarrow.Table` with `graded_columns` of `VerdictSet.columns`."""
        if self._votes is not None:
            self._votes.add(block, table)
        for number, end in enumerate(self._plan.ends):
            if block.start < end:
                for (problem, verdict), count in count_verdicts(table, below=end).items():
                    if problem in self._position:
                        self._given[Verdict(verdict)][self._position[problem], number] += count

    def add_first_correct(self, of_block: Mapping[str, int]) -> None:
        """Note the index of the first correct sample in a block, for each problem that has one."""
        for problem, index in of_block.items():
            self._first[problem] = min(index, self._first.get(problem, index))

    def first_correct(self) -> dict[str, int]:
        """The index of the first correct sample, for each problem that has one among the samples that count."""
        below = self.counted_below()
        return {
            problem: index
            for problem in self._ids
            if (index := self._first.get(problem, below[problem])) < below[problem]
        }

    def wanted(self) -> Ints:
        """How many samples each problem should have now, [problems]: the end of the round after which it stops, or else
        of its first unfinished round."""
        wanted: Ints = self._ends[self._current_round]
        return wanted

    def counted_below(self) -> dict[str, int]:
        """For each problem, the index below which its samples count."""
        return dict(zip(self._ids, self.wanted().tolist(), strict=True))

    def counts(self) -> Counts:
        """n and c of each problem, up to the round after which it stops, or to the end of its current round."""
        graded, correct, current = self._graded.copy(), self._given[Verdict.CORRECT], self._current_round
        rows = np.arange(len(self._ids))
        n, c = graded[rows, current], correct[rows, current]
        if len(self._plan.ends) == 1 or self._votes is not None:
            return Counts.of(self._ids, n, c)
        unfinished = self._stored[rows, current] < self._ends[current]
        # Nothing is decided before a round is finished, so an unfinished one has stopped no problem.
        later = np.arange(len(self._ends)) >= current[:, None]
        graded = np.where(later & unfinished[:, None], self._ends, graded)
        return Counts(self._ids, n, c, Rounds(self._ends, self._limits, graded))

    def verdicts(self) -> dict[str, int]:
        """The number of each verdict among the samples that count."""
        rows, current = np.arange(len(self._ids)), self._current_round
        totals = Counter({verdict.value: int(given[rows, current].sum()) for verdict, given in self._given.items()})
        return dict(+totals)

    def voting(self) -> Voting | None:
        """What the votes deliver; None under a budget that does not stop by them."""
        if self._votes is None:
            return None
        rounds, n = self._current_round, self.counts().n
        settled = self._votes.settled(self._stored >= self._ends)[np.arange(len(self._ids)), rounds]
        delivered = zip(self._ids, n.tolist(), self._votes.standing(rounds), settled.tolist(), strict=True)
        return Voting(
            tuple(
                DeliveredVote(problem, samples, standing.votes, standing.right, stopped)
                for problem, samples, standing, stopped in delivered
            ),
            self._plan.ends[0],
            self._plan.ends[-1],
        )

    @property
    def _stored(self) -> Ints:
        """Samples below the end of each round that have a verdict: [problems, rounds]."""
        stored: Ints = np.sum(list(self._given.values()), axis=0, dtype=np.int64)
        return stored

    @property
    def _graded(self) -> Ints:
        """The same without infrastructure failures."""
        return self._stored - self._given[Verdict.INFRASTRUCTURE]

    @property
    def _current_round(self) -> Ints:
        """The first round that is unfinished or after which the problem stops: [problems]."""
        stays = (self._stored < self._ends) | (self._given[Verdict.CORRECT] >= self._limits)
        if self._votes is not None:
            stays |= self._votes.settled(self._stored >= self._ends)
        stays[:, -1] = True
        current: Ints = stays.argmax(axis=1)
        return current
