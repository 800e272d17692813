"""Scoring stored samples with one scorer: which scores are pending, and how a block is scored.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them directly.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tasks.engines.spend_limit import Spending
from tasks.errors import ScorerFailedError, UserError
from tasks.plugins import label_of
from tasks.progress import progress
from tasks.records import Problem, Sample, ScoredSample
from tasks.scorers import NOTHING, Candidate, Comparing, Scored, ScorerConfig, Spent, Unscored
from tasks.scorers.checked import CheckedScorer
from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block
from tasks.store.claims import Claims
from tasks.store.identity import score_identity
from tasks.store.retry import retry_while_unavailable
from tasks.store.sample_layout import SampleFooter
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import ScoreSet
from tasks.sweep.budgets import Budget, UniformConfig
from tasks.sweep.grading import Grading
from tasks.sweep.pivots import Compared, in_parts, text_key
from tasks.sweep.shared_blocks import claimed, pending_blocks

STORE_EVERY_S = 30.0
"""How often the scores of an unfinished block are stored: what a run that is killed has to score again."""

Score = Scored | Unscored
Key = tuple[str, int]


class Scoring:
    """Scores the stored samples of a selection with one scorer; draws and grades nothing."""

    def __init__(
        self,
        *,
        grading: Grading,
        scorer: ScorerConfig,
        prompt_of: Callable[[Problem], str],
        plugins: Mapping[str, str] | None = None,
    ) -> None:
        """`prompt_of` gives the prompt that a problem's samples answer, without a chat template; `plugins` are the
        distributions of the plug-ins that scores depend on, by role."""
        self.selection = grading.selection
        self.samples = grading.samples
        self.scorer = scorer
        identity = score_identity(
            self.samples.identity,
            scorer.name,
            scorer.version,
            label=scorer.label,
            settings=scorer.ingredients() or None,
            plugins=plugins,
        )
        self.scores = ScoreSet(self.samples.store, self.samples.identity, identity)
        self.claims = Claims(self.samples.store, f"claims/{self.samples.identity.name}")
        self.stage = f"scores of {scorer.label}"
        self._read_samples = grading.read_samples
        self._prompt_of = prompt_of
        self._pivots = scorer.pivots if isinstance(scorer, Comparing) else 0
        self._locks: dict[str, threading.Lock] = {}
        self._opened: CheckedScorer | None = None
        self._outcome = _Outcome()

    @property
    def label(self) -> str:
        """The scorer, for messages."""
        return label_of("scorer", self.scorer)

    def check(self, budget: Budget = UniformConfig()) -> None:  # noqa: B008 - frozen
        """Make sure that the scorer can be opened here, and has enough samples of each problem under a budget.

        Raises:
            UserError: it cannot, or has not.
        """
        self.scorer.check()
        if self._pivots > self.selection.k:
            raise UserError(
                f"scorers.pivots: {self.scorer.name} compares with the first {self._pivots} samples of each problem,"
                f" and k is {self.selection.k}; raise k, or lower pivots"
            )
        # A problem that stops after the first round never gets more samples.
        drawn = budget.plan(self.selection.k).ends[0]
        if self._pivots > drawn:
            raise UserError(
                f"scorers.pivots: {self.scorer.name} compares with the first {self._pivots} samples of each problem,"
                f" and a problem may get only {drawn} under budget: {budget.name}; lower pivots to {drawn}, or choose a"
                f" budget that draws {self._pivots} in its first round"
            )

    def open(self, spending: Spending | None = None) -> CheckedScorer:
        """The scorer, ready to score under a cap, if there is one.

        Raises:
            UserError: it cannot be opened as configured.
        """
        self._opened = CheckedScorer(self.scorer.open(), self.label, spending)
        return self._opened

    def pending_scores(self) -> list[Block]:
        """The stored blocks with selected samples that lack scores, or whose scores come from comparisons with samples
        that were drawn again since."""
        return pending_blocks(self.selection, self.samples, self.scores, self.stage, self._outdated)

    def _outdated(self, samples: Mapping[Block, SampleFooter], scores: Mapping[Block, ScoreFooter]) -> set[Block]:
        """The blocks of problems whose pivots were drawn again after they had been scored."""
        drawn_again = [
            block
            for block, footer in samples.items()
            if block.start < self._pivots and block in scores and scores[block].samples_checksum != footer.checksum
        ]
        return {block for block in samples if any(_share_problems(block, other) for other in drawn_again)}

    def score(self, block: Block, scorer: CheckedScorer, *, wait: bool = False) -> str | None:
        """Score what a stored block lacks and store it; returns the URL of its scores.

        None if another sweep is scoring it and `wait` is False.

        Raises:
            CapReachedError: the run has reached its cap; what was scored before is stored.
            ScorerFailedError: the scorer failed, or gave no score to any sample of the block; what it gave before is
                stored.
            ScoringCancelledError: scoring was cancelled.
            UserError: samples or scores turn out to be damaged; they are set aside, to be done again.
        """
        prefix = f"scores/{self.scores.identity.name}"
        if not self._pivots:
            claim = f"{prefix}/{block.grid_cell(1)}"
            return claimed(self.claims, claim, lambda: self._score_missing(block, scorer), wait=wait)
        # Blocks of the same problems one after another, so that each finds the scores of texts that it shares with the
        # others. A claim does not keep threads of one process apart.
        problems = block.grid_cell().partition("/")[0]
        with self._locks.setdefault(problems, threading.Lock()):
            return claimed(self.claims, f"{prefix}/{problems}", lambda: self._score_missing(block, scorer), wait=wait)

    def notes(self) -> list[str]:
        """What the user should know about the scores that this object's calls gave, one line each."""
        told = [] if self._opened is None else self._opened.notes()
        return [*self._outcome.notes(self.label), *told]

    def _score_missing(self, block: Block, scorer: CheckedScorer) -> str:
        samples, footer = self._read_samples(block)
        others = self._others_of_its_problems(block) if self._pivots else []
        if self._pivots:
            self._set_aside_outdated([block, *others])
        earlier, before = self._earlier(block, footer)
        compared = self._compared(samples, earlier, others) if self._pivots else None
        work = _Work(samples, earlier, before, compared)
        progress.get().advance(self.stage, block.samples - work.missing)
        if work.missing or work.copied:
            self._score(block, footer, work, scorer)
        return self.scores.url(block)

    def _others_of_its_problems(self, block: Block) -> list[Block]:
        """The other stored blocks that have samples of a block's problems."""
        near = self.samples.blocks_near(block)
        return [other for other in near if other != block and _share_problems(block, other)]

    def _set_aside_outdated(self, blocks: Sequence[Block]) -> None:
        """Where pivots of the problems of these blocks were drawn again, since they had been damaged, set aside all
        scores that come from comparisons with the former ones: scores of one problem must come from the same
        comparisons. That of the pivots' own block goes last: it is what shows that they changed."""
        found = {block: self.scores.stored_footer(block) for block in sorted(blocks, key=lambda each: -each.start)}
        scored = {block: footer for block, footer in found.items() if footer is not None}
        samples = {block: self.samples.stored_footer(block) for block in scored if block.start < self._pivots}
        # Damaged samples are set aside as soon as they are read.
        if any(footer is not None and footer.checksum != scored[at].samples_checksum for at, footer in samples.items()):
            for block in scored:
                self.scores.quarantine(block, "samples that it was compared with were drawn again")

    def _compared(self, samples: Sequence[Sample], earlier: Mapping[Key, Scored], others: Sequence[Block]) -> Compared:
        """What a block and others of the same problems have: pivots, and scores of texts."""
        compared = Compared(self._pivots)
        compared.add(samples, earlier)
        for other in others:
            if other.start < self._pivots or self.scores.stored_footer(other) is not None:
                of_other, footer = self._read_samples(other)
                compared.add(of_other, self._earlier(other, footer)[0])
        return compared

    def _earlier(self, block: Block, footer: SampleFooter) -> tuple[dict[Key, Scored], "_Used"]:
        """The scores that are stored on just these samples, and what they took."""
        known = self.scores.stored_footer(block)
        if known is None or known.samples_checksum != footer.checksum:
            return {}, _Used()
        try:
            scored, stored = self.scores.read(block, footer)
        except CorruptObjectError as error:
            self.scores.quarantine(block, error.reason)
            return {}, _Used()
        kept = {
            (each.problem_id, each.index): Scored(each.score, each.detail) for each in scored if each.score is not None
        }
        return kept, _Used(stored.runs, Spent(stored.tokens, stored.dollars, stored.prompt_tokens, stored.context))

    def _score(self, block: Block, footer: SampleFooter, work: "_Work", scorer: CheckedScorer) -> None:
        started = stored_at = time.monotonic()
        problems = {problem.id: problem for problem in self.selection.problems_in(block)}
        candidates = work.candidates(problems, self._prompt_of)
        progress.get().advance(self.stage, work.reached)
        try:
            for part in in_parts(candidates, scorer.max_candidates):
                if time.monotonic() - stored_at >= STORE_EVERY_S:
                    self._keep(block, footer, work, scorer, time.monotonic() - started)
                    stored_at = time.monotonic()
                for candidate, score in zip(part, scorer.score(part), strict=True):
                    progress.get().advance(self.stage, work.add(candidate, score))
        except Exception:
            # The scorer failed for good, or the run is being stopped: keep what has been paid for.
            progress.get().advance(self.stage, -work.reached)
            if work.given:
                self._keep(block, footer, work, scorer, time.monotonic() - started)
            raise
        if not work.given and not work.kept:
            raise ScorerFailedError(f"{self.label} gave none of {block.samples:,} samples a score: {work.reason}")
        self._keep(block, footer, work, scorer, time.monotonic() - started)
        self._outcome.add(work)

    def _keep(self, block: Block, footer: SampleFooter, work: "_Work", scorer: CheckedScorer, seconds: float) -> None:
        more = scorer.take_spent()
        used = work.used(more)

        def write() -> None:
            # If this process was suspended for so long that its claim expired, another sweep may have scored the block.
            if self.scores.is_pending(block, footer):
                self.scores.write(
                    block,
                    work.records(),
                    samples_checksum=footer.checksum,
                    made_by=scorer.version,
                    seconds=seconds,
                    more={
                        "earlier": work.before.runs,
                        "tokens": used.tokens,
                        "dollars": used.dollars,
                        "prompt_tokens": used.prompt_tokens,
                        "context": used.context,
                    },
                )

        try:
            retry_while_unavailable(write)
        except Exception:
            scorer.give_back(more)  # for the next block that is stored, which may be this one
            raise
        work.spent = work.spent.plus(more)


def _share_problems(one: Block, other: Block) -> bool:
    return other.first < one.last and one.first < other.last


class _Used(NamedTuple):
    """What earlier runs used for the scores of a block, and for each when it ended and in how many seconds."""

    runs: tuple[tuple[str, float], ...] = ()
    spent: Spent = NOTHING


class _Work:
    """The scores of one block: those kept from earlier, with what they used `before`, and those given now, for which
    `spent` is stored so far. Equal candidates are scored once. With `compared`, texts that are scored in another block
    have their score from there."""

    def __init__(
        self, samples: Sequence[Sample], earlier: Mapping[Key, Scored], before: _Used, compared: Compared | None
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

    def used(self, more: Spent) -> Spent:
        """What all runs have used for the block, this one with this much more."""
        return self.before.spent.plus(self.spent).plus(more).complete()

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


class _Outcome:
    """What all blocks of a run amount to: how many samples got no score, and whether the scores differ at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples = 0
        self._distinct = 0
        self._unscored: Counter[str] = Counter()
        self._values: set[float] = set()

    def add(self, work: _Work) -> None:
        """Count a block."""
        with self._lock:
            self._samples += work.missing
            self._distinct += len(work.by_candidate)
            self._unscored += work.unscored
            if len(self._values) < 2:
                self._values |= set(work.by_candidate.values())

    def notes(self, label: str) -> Iterator[str]:
        """One line for each thing that is not as it should be."""
        left_out = self._unscored.total()
        if left_out:
            reason, _ = self._unscored.most_common(1)[0]
            yield (
                f"{label} gave {left_out:,} of {self._samples:,} samples no score ({reason}); they are left out, and"
                " the next run tries again"
            )
        if len(self._values) == 1 and self._distinct > 1:
            yield (
                f"{label} gave all {self._distinct:,} distinct samples the same score, {next(iter(self._values)):g}: it"
                " cannot tell them apart"
            )
