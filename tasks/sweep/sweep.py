"""One sweep as plain Python: which samples are owed and how a block is drawn; verification is `tasks.sweep.grading`'s.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them as they are.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from tasks.engines import Engine
from tasks.errors import MonkeysError
from tasks.graders import Grader
from tasks.progress import progress
from tasks.prompts import prompt
from tasks.prompts.chat import ChatForm
from tasks.records import Price, Problem, Request, Sample, Sampling, Verdict
from tasks.scaling.cost import Usage
from tasks.scaling.summary import SweepSummary, summarise, summarise_solving
from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block, begun, missing, width_for
from tasks.store.retry import retry_while_unavailable
from tasks.store.samples import SampleFooter
from tasks.store.sets import SampleSet, VerdictSet
from tasks.sweep.budgets import Budget, UniformConfig
from tasks.sweep.grading import VERDICTS, Grading, Tally

SAMPLES = "samples"


class TakenOverError(MonkeysError, RuntimeError):
    """Another sweep did this work while this one stood still; trying again finds it done."""

    retryable: ClassVar[bool] = True


class Sweep(Grading):
    """The first k samples of each of the `first` problems of a dataset (None: of all), drawn and judged in one way."""

    def __init__(
        self,
        *,
        problems: Sequence[Problem],
        first: int | None,
        k: int,
        template: str,
        sampling: Sampling,
        grader: Grader,
        samples: SampleSet,
        verdicts: VerdictSet,
        budget: Budget = UniformConfig(),  # noqa: B008 - frozen
        price: Price | None = None,
        excluded: Collection[str] = (),
        chat: ChatForm | None = None,
    ) -> None:
        super().__init__(
            problems=problems,
            first=first,
            k=k,
            grader=grader,
            samples=samples,
            verdicts=verdicts,
            budget=budget,
            excluded=excluded,
        )
        self.template = template
        self.chat = chat
        self.sampling = sampling
        self.price = price

    def missing_samples(self) -> list[Block]:
        """The blocks that hold exactly the samples that the budget gives each problem for now and that are not stored.

        Under a budget of several rounds, more may be owed once these are judged; none is when the sweep is done.
        """
        stored = self.samples.stored()
        owed = self.owed_beside(stored, {} if self.single_round else self.verdicts.stored())
        progress.get().plan(SAMPLES, sum(block.samples for block in owed))
        return owed

    def owed_beside(self, stored: Mapping[Block, SampleFooter], judged: Mapping[Block, VerdictFooter]) -> list[Block]:
        """The same, where just these blocks are stored and judged; reads no more than their verdicts."""
        owed = []
        for end, positions in self._wanted(stored, judged).items():
            owed += missing(stored, positions, end, width=self._width)
        return owed

    def all_missing(self, stored: Iterable[Block], k: int) -> list[Block]:
        """The blocks that hold exactly the samples below k, of every problem, that are not stored: what no budget
        exceeds."""
        return missing(stored, self.positions, k, width=self._width)

    @property
    def single_round(self) -> bool:
        """Whether no verdict can change which samples are owed."""
        return len(self.budget.plan(self.k).ends) == 1

    def _wanted(
        self, stored: Mapping[Block, SampleFooter], verdicts: Mapping[Block, VerdictFooter]
    ) -> dict[int, list[int]]:
        """The positions of the problems that are to have their first so many samples, by how many."""
        if self.single_round:
            return {self.k: list(self.positions)}
        judged = {(block, footer.samples_checksum) for block, footer in verdicts.items()}
        known = {block: footer for block, footer in self._within(stored).items() if (block, footer.checksum) in judged}
        wanted: dict[int, list[int]] = {}
        for position, end in zip(self.positions, self._standing(known)[0].wanted().tolist(), strict=True):
            wanted.setdefault(end, []).append(position)
        return dict(sorted(wanted.items()))

    def summarise(self, tally: Tally) -> SweepSummary:
        """What the counts say: coverage and law, or what was solved where the budget is for that."""
        n, verdicts = int(tally.by_problem.n.sum()), tally.verdicts
        drawn = n + verdicts.get(Verdict.INFRASTRUCTURE, 0)
        prompt_tokens, tokens = self.tokens(tally.below)
        usage = Usage(drawn, prompt_tokens, tokens, self.price)
        if self.budget.gives_coverage:
            summary = summarise(tally.by_problem, verdicts, max_k=self.k, usage=usage)
        else:
            summary = summarise_solving(tally.by_problem, verdicts, tally.first_correct, self.k, usage)
        return replace(summary, notes=(*self._selection(), *summary.notes))

    def _selection(self) -> list[str]:
        """What a reader must know of the choice of problems."""
        if not self.left_out:
            return []
        of = len(self.problems) + self.left_out
        verb = "is" if self.left_out == 1 else "are"
        return [f"{self.left_out:,} of {of:,} problems {verb} left out by `exclude`: all of this is about the others."]

    def draw(self, block: Block, engine: Engine, *, wait: bool = False) -> list[Block] | None:
        """Draw what is still owed of a block and store it; returns the blocks stored.

        None where another sweep is at it, unless told to wait until that one has finished or is dead.
        """
        return self._claimed(f"samples/{block.cell(self._width)}", lambda: self._draw_owed(block, engine), wait=wait)

    def _draw_owed(self, block: Block, engine: Engine) -> list[Block]:
        owed = self._owed_of(block)
        for part in owed:
            self._draw(part, engine)
        progress.get().advance(SAMPLES, block.samples - sum(part.samples for part in owed))
        return owed

    def _draw(self, block: Block, engine: Engine) -> None:
        started = time.monotonic()
        problems = self._problems(block)
        requests = [Request(problem.id, self.prompt_of(problem), block.start, block.stop) for problem in problems]
        drawn: list[Sample] = []
        try:
            for some in engine.sample(requests, self.sampling):
                drawn += some
                progress.get().advance(SAMPLES, len(some))
        except Exception:
            # A cap, an engine that is dead, a run that is stopped: what it has cost to draw is not lost.
            progress.get().advance(SAMPLES, -len(drawn))
            self._keep_begun(block, drawn, engine, time.monotonic() - started)
            raise
        seconds = time.monotonic() - started
        retry_while_unavailable(lambda: self._keep(block, drawn, engine, seconds))

    def _keep_begun(self, block: Block, drawn: Sequence[Sample], engine: Engine, seconds: float) -> None:
        """Store of a block what can be: the samples of each problem up to its first gap."""
        held = {(sample.problem_id, sample.index): sample for sample in drawn}
        problems, indices = self._problems(block), range(block.start, block.stop)
        ends = [next((at for at in indices if (each.id, at) not in held), block.stop) for each in problems]
        for part in begun(block, ends, self._width):
            of_part = [held[each.id, at] for each in self._problems(part) for at in range(part.start, part.stop)]
            retry_while_unavailable(partial(self._keep, part, of_part, engine, seconds * part.samples / len(held)))

    def prompt_of(self, problem: Problem) -> str:
        """What the engine is asked."""
        plain = prompt(self.template, problem)
        return plain if self.chat is None else self.chat.render(plain)

    def _keep(self, block: Block, drawn: Sequence[Sample], engine: Engine, seconds: float) -> None:
        if self._owed_of(block) != [block]:
            # This process was stopped for so long that its claim was taken for dead: what its heir stored stands.
            raise TakenOverError(f"{block} was stored by another sweep meanwhile")
        problems = self._problems(block)
        self.samples.write(block, problems, drawn, engine.version, seconds, reproducible=engine.deterministic)
        progress.get().plan(VERDICTS, block.samples)

    def _owed_of(self, block: Block) -> list[Block]:
        positions = range(block.first, block.last)
        return missing(self.samples.blocks(), positions, block.stop, block.start, self._width)

    @property
    def _width(self) -> int:
        """The same for all runs that share the set: it follows from what the set is named by."""
        return width_for(self.samples.identity.ingredients.get("sampling", {}).get("max_tokens"))
