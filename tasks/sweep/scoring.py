"""Scoring stored samples with one scorer: which scores are pending, and how a block is scored.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them directly.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tasks.engines.spend_limit import Spending
from tasks.errors import ScorerFailedError, UserError
from tasks.plugins import label_of
from tasks.progress import progress
from tasks.records import Problem, Sample
from tasks.scorers import Comparing, Scored, ScorerConfig, Unscored
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
from tasks.sweep.kept_replies import KeptReplies
from tasks.sweep.pivots import Compared, in_parts
from tasks.sweep.score_work import Key, ScoreWork, Used
from tasks.sweep.shared_blocks import claimed, pending_blocks

STORE_EVERY_S = 30.0
"""How often the scores of an unfinished block are stored: what a run that is killed has to score again."""


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
        replies, paid = (self.scores.read_replies(block) if scorer.resumes else None) or ({}, None)
        if paid is not None:
            before = max(before, Used.of(paid), key=lambda used: used.seconds)  # each includes what was stored earlier
        compared = self._compared(samples, earlier, others) if self._pivots else None
        work = ScoreWork(samples, earlier, before, compared)
        progress.get().advance(self.stage, block.samples - work.missing)
        if work.missing or work.copied:
            with KeptReplies(self.scores, block, work, scorer, samples_checksum=footer.checksum, known=replies) as kept:
                self._score(block, footer, work, scorer, kept)
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

    def _earlier(self, block: Block, footer: SampleFooter) -> tuple[dict[Key, Scored], Used]:
        """The scores that are stored on just these samples, and what they took."""
        known = self.scores.stored_footer(block)
        if known is None or known.samples_checksum != footer.checksum:
            return {}, Used()
        try:
            scored, stored = self.scores.read(block, footer)
        except CorruptObjectError as error:
            self.scores.quarantine(block, error.reason)
            return {}, Used()
        kept = {
            (each.problem_id, each.index): Scored(each.score, each.detail) for each in scored if each.score is not None
        }
        return kept, Used.of(stored)

    def _score(
        self, block: Block, footer: SampleFooter, work: ScoreWork, scorer: CheckedScorer, kept: KeptReplies
    ) -> None:
        stored_at = kept.seconds
        problems = {problem.id: problem for problem in self.selection.problems_in(block)}
        candidates = work.candidates(problems, self._prompt_of)
        progress.get().advance(self.stage, work.reached)
        try:
            for part in in_parts(candidates, scorer.max_candidates):
                if kept.seconds - stored_at >= STORE_EVERY_S:
                    self._keep(block, footer, work, scorer, kept)
                    stored_at = kept.seconds
                scores = scorer.score(part, kept.replies)
                kept.replies.end_call(settled=not any(isinstance(score, Unscored) for score in scores))
                for candidate, score in zip(part, scores, strict=True):
                    progress.get().advance(self.stage, work.add(candidate, score))
        except Exception:
            # The scorer failed for good, or the run is being stopped: keep what has been paid for.
            progress.get().advance(self.stage, -work.reached)
            if work.given:
                self._keep(block, footer, work, scorer, kept)
            raise
        if not work.given and not work.kept:
            raise ScorerFailedError(f"{self.label} gave none of {block.samples:,} samples a score: {work.reason}")
        self._keep(block, footer, work, scorer, kept)
        self._outcome.add(work)

    def _keep(
        self,
        block: Block,
        footer: SampleFooter,
        work: ScoreWork,
        scorer: CheckedScorer,
        kept: KeptReplies,
    ) -> None:
        def write(used: Mapping[str, Any]) -> None:
            # If this process was suspended for so long that its claim expired, another sweep may have scored the block.
            if self.scores.is_pending(block, footer):
                self.scores.write(
                    block,
                    work.records(),
                    samples_checksum=footer.checksum,
                    made_by=scorer.version,
                    seconds=kept.seconds,
                    more=used,
                )

        with kept.lock:
            with work.counted(scorer) as used:
                retry_while_unavailable(lambda: write(used))
            kept.scores_are_stored()


def _share_problems(one: Block, other: Block) -> bool:
    return other.first < one.last and one.first < other.last


class _Outcome:
    """What all blocks of a run amount to: how many samples got no score, and whether the scores differ at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples = 0
        self._distinct = 0
        self._unscored: Counter[str] = Counter()
        self._values: set[float] = set()

    def add(self, work: ScoreWork) -> None:
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
