"""What is to be scored of one block, and which scores there are."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from tasks.records import Problem, Sample, ScoredSample
from tasks.scorers import NOTHING, Candidate, Scored, Spent, Unscored
from tasks.scorers.checked import CheckedScorer
from tasks.store.annotations import ScoreFooter
from tasks.sweep.pivots import Compared, text_key

Score = Scored | Unscored
Key = tuple[str, int]


class Used(NamedTuple):
    """What earlier runs used for the scores of a block, and for each when it ended and in how many seconds."""

    runs: tuple[tuple[str, float], ...] = ()
    spent: Spent = NOTHING

    @classmethod
    def of(cls, footer: ScoreFooter) -> Self:
        """By what a footer says."""
        return cls(footer.runs, Spent(footer.tokens, footer.dollars, footer.prompt_tokens, footer.context))

    @property
    def seconds(self) -> float:
        """Of all runs."""
        return sum(seconds for _, seconds in self.runs)


class ScoreWork:
    """The scores of one block: those kept from earlier, with what they used `before`, and those given now, for which
    `spent` is stored so far. Equal candidates are scored once. With `compared`, texts that are scored in another block
    have their score from there."""

    def __init__(
        self, samples: Sequence[Sample], earlier: Mapping[Key, Scored], before: Used, compared: Compared | None
    ) -> None:
        self._samples = samples
        self.before = before
        self.spent = NOTHING
        self._scores: dict[Key, Score] = {**earlier}
        self._compared = compared
        self._of: dict[Candidate, list[Key]] = {}
        if compared is not None and compared.scores:
            for sample in samples:
                copied = compared.scores.get(text_key(sample))
                if copied is not None:
                    self._scores.setdefault((sample.problem_id, sample.index), copied)
        self.kept = len(self._scores)
        self.copied = self.kept - len(earlier)
        self.given = 0
        self.reached = 0
        self.unscored: Counter[str] = Counter()
        self.by_candidate: dict[Candidate, float] = {}

    @contextmanager
    def counted(self, scorer: CheckedScorer) -> Iterator[dict[str, Any]]:
        """What all runs have used for the block, as fields of a footer that is stored while the `with` block lasts. If
        it cannot be, the next footer counts it, which may be that of another block."""
        more = scorer.take_spent()
        used = self.before.spent.plus(self.spent).plus(more).complete()
        try:
            yield {
                "earlier": self.before.runs,
                "tokens": used.tokens,
                "dollars": used.dollars,
                "prompt_tokens": used.prompt_tokens,
                "context": used.context,
            }
        except Exception:
            scorer.give_back(more)
            raise
        self.spent = self.spent.plus(more)

    @property
    def left(self) -> int:
        """How many samples have no score so far."""
        return self.missing - self.given

    @property
    def missing(self) -> int:
        """How many samples had no score before."""
        return len(self._samples) - self.kept

    @property
    def reason(self) -> str:
        """The most frequent reason why samples got no score."""
        return next((reason for reason, _ in self.unscored.most_common(1)), "no reason was given")

    def candidates(self, problems: Mapping[str, Problem], prompt_of: Callable[[Problem], str]) -> list[Candidate]:
        """The distinct candidates to score. Those that cannot be compared yet are left out."""
        prompts = {name: (each.question, prompt_of(each)) for name, each in problems.items()}
        for sample in self._samples:
            key = (sample.problem_id, sample.index)
            if key in self._scores:
                continue
            pivots = () if self._compared is None else self._compared.pivots(sample.problem_id)
            candidate = Candidate(sample.problem_id, *prompts[sample.problem_id], sample.text, pivots or ())
            self._of.setdefault(candidate, []).append(key)
        if self._compared is None:
            return list(self._of)
        for candidate in self._of:
            if not candidate.pivots:
                self.add(candidate, Unscored("its problem has fewer samples than pivots to compare it with"))
        return [candidate for candidate in self._of if candidate.pivots]

    def add(self, candidate: Candidate, score: Score) -> int:
        """Take a candidate's score for all samples that are equal to it; returns their number."""
        keys = self._of[candidate]
        self._scores |= dict.fromkeys(keys, score)
        self.reached += len(keys)
        if isinstance(score, Unscored):
            self.unscored[score.reason] += len(keys)
        else:
            self.given += len(keys)
            self.by_candidate[candidate] = score.value
        return len(keys)

    def records(self) -> list[ScoredSample]:
        """One for each sample, in order."""
        return list(self._records())

    def _records(self) -> Iterator[ScoredSample]:
        for sample in self._samples:
            score = self._scores.get((sample.problem_id, sample.index), Unscored("not reached"))
            value, detail = (None, score.reason) if isinstance(score, Unscored) else score
            yield ScoredSample(sample.problem_id, sample.index, value, detail)
