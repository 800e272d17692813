"""How far each problem of a sweep stands under its plan: what was judged below the end of each round, and how."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.records import Verdict
from tasks.scaling.arrays import Ints
from tasks.scaling.estimators import Counts
from tasks.scaling.sequential_stopping import Plan, Rounds


class RoundProgress:
    """Verdicts by problem and round. Fill it with `add`, once for each block and round that the block reaches into."""

    def __init__(self, problem_ids: Sequence[str], plan: Plan) -> None:
        self.plan = plan
        self._ids = tuple(problem_ids)
        self._position = {problem: position for position, problem in enumerate(problem_ids)}
        self._ends = np.array(plan.ends, dtype=np.int64)
        self._limits = np.array(plan.limits, dtype=np.int64)
        self._first: dict[str, int] = {}
        self._given = {verdict: np.zeros((len(self._ids), len(plan.ends)), dtype=np.int64) for verdict in Verdict}

    def add(self, number: int, counted: Mapping[tuple[str, str], int]) -> None:
        """How often each (problem, verdict) occurs in a block below the end of round `number`."""
        for (problem, verdict), times in counted.items():
            if problem in self._position:
                self._given[Verdict(verdict)][self._position[problem], number] += times

    def add_first_correct(self, of_block: Mapping[str, int]) -> None:
        """The index of the first correct sample in a block, of each problem that has one."""
        for problem, index in of_block.items():
            self._first[problem] = min(index, self._first.get(problem, index))

    def first_correct(self) -> dict[str, int]:
        """The index of the first correct sample, for each problem with one among the samples that count."""
        wanted = self.counted_below()
        return {
            problem: self._first[problem] for problem in self._ids if self._first.get(problem, 10**9) < wanted[problem]
        }

    def wanted(self) -> Ints:
        """How many samples each problem is to have for now: the end of the round at which it rests, or which it still
        has to finish; shape (problems,)."""
        wanted: Ints = self._ends[self._at]
        return wanted

    def counted_below(self) -> dict[str, int]:
        """By problem, the index below which its samples count."""
        return dict(zip(self._ids, self.wanted().tolist(), strict=True))

    def counts(self) -> Counts:
        """n and c of each problem at the round where it rests, or as far as it has come."""
        judged, correct = self._judged.copy(), self._given[Verdict.CORRECT]
        rows = np.arange(len(self._ids))
        n, c = judged[rows, self._at], correct[rows, self._at]
        if len(self.plan.ends) == 1:
            return Counts.of(self._ids, n, c)
        unfinished = self._all[rows, self._at] < self._ends[self._at]
        # A round that is not finished has not been looked at: nobody rested or went on for what it holds so far.
        later = np.arange(len(self._ends)) >= self._at[:, None]
        judged = np.where(later & unfinished[:, None], self._ends, judged)
        return Counts(self._ids, n, c, Rounds(self._ends, self._limits, judged))

    def verdicts(self) -> dict[str, int]:
        """How often each verdict was given to the samples that count."""
        rows = np.arange(len(self._ids))
        totals = Counter({verdict.value: int(given[rows, self._at].sum()) for verdict, given in self._given.items()})
        return dict(+totals)

    @property
    def _all(self) -> Ints:
        everything: Ints = np.sum(list(self._given.values()), axis=0, dtype=np.int64)
        return everything

    @property
    def _judged(self) -> Ints:
        return self._all - self._given[Verdict.INFRASTRUCTURE]

    @property
    def _at(self) -> Ints:
        """The first round that is unfinished, or at whose end the problem rests."""
        stays = (self._all < self._ends) | (self._given[Verdict.CORRECT] >= self._limits)
        stays[:, -1] = True
        at: Ints = stays.argmax(axis=1)
        return at
