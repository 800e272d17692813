"""A sweep in plain Python: which samples are missing, and how a block of them is drawn.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them directly.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from tasks.engines import Engine
from tasks.errors import MonkeysError
from tasks.progress import progress
from tasks.prompts import prompt
from tasks.prompts.chat import ChatTemplate
from tasks.records import Price, Problem, Request, Sampling
from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block, missing, width_for
from tasks.store.problems import stored_problems
from tasks.store.retry import retry_while_unavailable
from tasks.store.sample_layout import SampleFooter
from tasks.sweep.budgets import Budget, UniformConfig
from tasks.sweep.grading import VERDICTS, Grading
from tasks.sweep.results import Results
from tasks.sweep.rounds import RoundProgress, graded_columns
from tasks.sweep.scoring import Scoring
from tasks.sweep.shared_blocks import claimed
from tasks.sweep.unstored import Part, Unstored

SAMPLES = "samples"
"""The name of the drawing stage in progress."""


class TakenOverError(MonkeysError, RuntimeError):
    """Another sweep did the work while this process was suspended; a retry finds it done."""

    retryable: ClassVar[bool] = True


class Sweep:
    """Draws samples of the selected problems, as many of each as the budget asks for."""

    def __init__(
        self,
        *,
        grading: Grading,
        template: str,
        sampling: Sampling,
        budget: Budget = UniformConfig(),  # noqa: B008 - frozen
        price: Price | None = None,
        chat: ChatTemplate | None = None,
        scorings: Sequence[Scoring] = (),
        truth: str | None = None,
    ) -> None:
        """`truth` names the verdict set, or its beginning, with which other verifiers are compared; None: the sweep's
        own."""
        self.grading = grading
        self.selection = grading.selection
        self.samples = grading.samples
        self.template = template
        self.sampling = sampling
        self.budget = budget
        self.price = price
        self.chat = chat
        self.scorings = tuple(scorings)
        self.truth = truth
        self._problems_stored = False
        self._storing_problems = threading.Lock()

    def missing_samples(self) -> list[Block]:
        """Blocks of exactly those samples that the budget asks for now and that are not stored.

        Under a budget with several rounds, more may be missing once these are graded; the sweep is done when none are.
        """
        stored = self.samples.stored()
        if stored:
            self.samples.restore_ingredients()
            self._store_problems()
        blocks = self.missing_given(stored, {} if self.single_round else self.grading.verdicts.stored())
        progress.get().plan(SAMPLES, sum(block.samples for block in blocks))
        return blocks

    def missing_given(self, stored: Mapping[Block, SampleFooter], graded: Mapping[Block, VerdictFooter]) -> list[Block]:
        """Like `missing_samples`, given the blocks that are stored and graded; only reads their verdicts."""
        return [
            block
            for end, positions in self._wanted(stored, graded).items()
            for block in missing(stored, positions, end, width=self._width)
        ]

    def missing_below(self, k: int, stored: Iterable[Block]) -> list[Block]:
        """Blocks of exactly those samples below k that are not stored: an upper bound for any budget."""
        return missing(stored, self.selection.positions, k, width=self._width)

    @property
    def single_round(self) -> bool:
        """Whether no verdict can change which samples are missing."""
        return len(self.budget.plan(self.selection.k).ends) == 1

    def _wanted(
        self, stored: Mapping[Block, SampleFooter], graded: Mapping[Block, VerdictFooter]
    ) -> dict[int, list[int]]:
        """The positions of the problems, by the number of samples that each should have now."""
        if self.single_round:
            return {self.selection.k: list(self.selection.positions)}
        rounds = RoundProgress([problem.id for problem in self.selection.problems], self.budget, self.selection.k)
        for block, footer in self.selection.within(stored).items():
            if block in graded and graded[block].samples_checksum == footer.checksum:
                rounds.add(block, self.grading.verdict_columns(block, footer, graded_columns(self.budget))[0])
        wanted: dict[int, list[int]] = {}
        for position, end in zip(self.selection.positions, rounds.wanted().tolist(), strict=True):
            wanted.setdefault(end, []).append(position)
        return dict(sorted(wanted.items()))

    def results(self) -> Results:
        """What is stored now; takes one listing, and reads the footer of each block of samples."""
        return Results(grading=self.grading, budget=self.budget, price=self.price, stored=self.samples.stored())

    def draw(self, block: Block, engine: Engine, *, wait: bool = False) -> list[Block] | None:
        """Draw what is missing of a block and store it.

        Returns:
            The blocks that were stored; None if another sweep is drawing the block and `wait` is False. If it is True,
            waits until that sweep has finished or died.
        """
        claim = f"samples/{block.grid_cell(self._width)}"
        return claimed(self.grading.claims, claim, lambda: self._draw_missing(block, engine), wait=wait)

    def _draw_missing(self, block: Block, engine: Engine) -> list[Block]:
        stored = [part for missing_part in self._missing_of(block) for part in self._draw(missing_part, engine)]
        progress.get().advance(SAMPLES, block.samples - sum(part.samples for part in stored))
        return stored

    def _draw(self, block: Block, engine: Engine) -> list[Block]:
        started = time.monotonic()
        problems = self.selection.problems_in(block)
        requests = [Request(problem.id, self.prompt_of(problem), block.start, block.stop) for problem in problems]
        unstored = Unstored(block, [problem.id for problem in problems])
        stored: list[Block] = []
        parts: list[Part] = []
        drawn = 0
        try:
            for batch in engine.sample(requests, self.sampling):
                unstored.add(batch)
                drawn += len(batch)
                progress.get().advance(SAMPLES, len(batch))
                parts = unstored.take_leading()
                if parts:
                    stored += self._keep(parts, engine, time.monotonic() - started)
                    started = time.monotonic()
        except Exception:
            # The cap is reached, the engine failed for good, or the run is being stopped: keep what has been paid for.
            progress.get().advance(SAMPLES, -drawn)
            self._keep([*parts, *unstored.take_before_gaps(self._width)], engine, time.monotonic() - started)
            raise
        return stored + self._keep(unstored.take_all(), engine, time.monotonic() - started)

    def _keep(self, parts: list[Part], engine: Engine, seconds: float) -> list[Block]:
        """Store what was drawn together in some seconds, and take it from the list: what an error leaves there is not
        stored. Each part has all of the seconds, as blocks have that are drawn concurrently."""
        kept = []
        while parts:
            retry_while_unavailable(partial(self._keep_part, parts[0], engine, seconds))
            kept.append(parts.pop(0).block)
        return kept

    def prompt_of(self, problem: Problem) -> str:
        """The prompt for the engine, with the chat template if there is one."""
        plain = prompt(self.template, problem)
        return plain if self.chat is None else self.chat.render(plain)

    def _keep_part(self, part: Part, engine: Engine, seconds: float) -> None:
        block = part.block
        if self._missing_of(block) != [block]:
            # This process was suspended for so long that its claim expired: what another sweep stored is kept.
            raise TakenOverError(f"{block} was stored by another sweep in the meantime")
        self._store_problems()
        problems = self.selection.problems_in(block)
        self.samples.write(block, problems, part.samples, engine.version, seconds, reproducible=engine.deterministic)
        progress.get().plan(VERDICTS, block.samples)

    def _store_problems(self) -> None:
        """Store the problems with their prompts, once in the life of this object."""
        with self._storing_problems:
            if not self._problems_stored:
                # Recorded samples had a prompt, but not one of ours.
                prompt_of = self.prompt_of if "template" in self.samples.identity.ingredients else None
                self.samples.write_problems(lambda: stored_problems(self.selection.dataset, prompt_of))
                self._problems_stored = True

    def _missing_of(self, block: Block) -> list[Block]:
        positions = block.positions
        return missing(self.samples.blocks_near(block), positions, block.stop, block.start, self._width)

    @property
    def _width(self) -> int:
        """Problems per block: the same for all sweeps of a set, since it follows from the set's ingredients."""
        return width_for(self.samples.identity.ingredients.get("sampling", {}).get("max_tokens"))
