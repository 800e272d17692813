"""Stored samples, judged in one way: what is owed, how a block is verified, and what the verdicts say.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them as they are.
"""

import random
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.plugins import PluginError, label_of
from tasks.progress import progress
from tasks.records import GradedSample, Problem, Sample, Verdict
from tasks.scaling.estimators import Counts
from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block
from tasks.store.claims import Claims
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.retry import retry_while_unavailable
from tasks.store.samples import SampleFooter
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import SampleSet, VerdictSet
from tasks.store.tables import column_sums, count_equal, count_verdicts, first_with, rows_below
from tasks.sweep.budgets import Budget, UniformConfig
from tasks.sweep.rounds import RoundProgress

VERDICTS = "verdicts"
Result = TypeVar("Result")

_TOKENS = ("prompt_tokens", "tokens")

# How long a worker that waits for another sleeps before it looks again: any time between these, so that two that got
# in each other's way do not do so again and again.
_LOOK_AGAIN_S = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the stored verdicts on the samples of the budget say: n and c by problem, and how often each verdict was
    given. `first_correct` is the index of a problem's first correct sample, under a budget that stops there.

    `equal` counts samples that were judged by the execution of an equal program; None where the grader runs none.
    `below` is the index of each problem below which its samples count; `engines` and `sandboxes` name all that took
    part; `drawn_at` and `graded_at` span the times (UTC) at which they did.
    """

    by_problem: Counts
    verdicts: dict[str, int]
    first_correct: dict[str, int]
    equal: int | None
    below: dict[str, int]
    engines: tuple[str, ...]
    sandboxes: tuple[str, ...]
    drawn_at: str
    graded_at: str


@dataclass(frozen=True, slots=True)
class Example:
    """A sample with the verdict on it."""

    sample: Sample
    graded: GradedSample


class Grading:
    """The samples below k of the `first` problems of a dataset (None: of all), less those `excluded` by their ids, as
    far as they are stored, judged in one way. It draws nothing."""

    def __init__(
        self,
        *,
        problems: Sequence[Problem],
        first: int | None,
        k: int,
        grader: Grader,
        samples: SampleSet,
        verdicts: VerdictSet,
        budget: Budget = UniformConfig(),  # noqa: B008 - frozen
        excluded: Collection[str] = (),
    ) -> None:
        self._dataset = tuple(problems)
        self.positions = tuple(at for at, each in enumerate(self._dataset[:first]) if each.id not in excluded)
        """Where the problems stand in the dataset: blocks are named by it."""
        self.problems = tuple(self._dataset[at] for at in self.positions)
        self.left_out = len(self._dataset[:first]) - len(self.problems)
        """How many problems are excluded."""
        self.k = k
        self.budget = budget
        self.grader = grader
        self.samples = samples
        self.verdicts = verdicts
        self.claims = Claims(samples.store, f"claims/{samples.identity.name}")

    def pending_verdicts(self) -> list[Block]:
        """The stored blocks of samples below k that still lack a verdict."""
        owed = self.verdicts.pending(self._sampled())
        progress.get().plan(VERDICTS, sum(block.samples for block in owed))
        return owed

    def stored_samples(self) -> list[Block]:
        """The stored blocks with samples below k, by their keys alone: one listing, nothing is opened."""
        return [each for each in self.samples.blocks() if each.start < self.k and self._concerns(each)]

    def verify(self, block: Block, sandbox: Sandbox | None, *, wait: bool = False) -> str | None:
        """Judge a stored block, if that is still owed, and store the verdicts; returns their URL.

        None where another sweep is at it, unless told to wait.

        Raises:
            UserError: the samples turn out to be damaged; they are set aside, and owed again.
        """
        claim = f"verdicts/{self.verdicts.identity.name}/{block.cell(1)}"
        return self._claimed(claim, lambda: self._verify_owed(block, sandbox), wait=wait)

    def _claimed(self, name: str, work: Callable[[], Result], *, wait: bool) -> Result | None:
        while True:
            with self.claims.take(name) as taken:
                if taken:
                    return work()
            if not wait:
                return None
            time.sleep(random.uniform(*_LOOK_AGAIN_S))  # noqa: S311 - no secret

    def _verify_owed(self, block: Block, sandbox: Sandbox | None) -> str:
        samples, footer = self._read(block)
        if self.verdicts.is_pending(block, footer):
            self._verify(block, samples, footer, sandbox)
        else:
            progress.get().advance(VERDICTS, block.samples)
        return self.verdicts.url(block)

    def _verify(self, block: Block, samples: list[Sample], footer: SampleFooter, sandbox: Sandbox | None) -> None:
        started = time.monotonic()
        of = {problem.id: problem for problem in self._problems(block)}
        by_name: dict[tuple[str, int], GradedSample] = {}
        asked = {(sample.problem_id, sample.index) for sample in samples}
        for graded in self.grader.grade([(of[sample.problem_id], sample) for sample in samples], sandbox):
            if not isinstance(graded, GradedSample):
                raise self._nonsense(f"returned {type(graded).__name__}, not a GradedSample")
            if (graded.problem_id, graded.index) not in asked:
                raise self._nonsense(
                    f"graded sample {graded.index} of problem {graded.problem_id!r}, which was not asked for, or graded"
                    " before"
                )
            asked.remove((graded.problem_id, graded.index))
            by_name[graded.problem_id, graded.index] = graded
            progress.get().advance(VERDICTS, 1)
        if asked:
            raise self._nonsense(f"graded {len(by_name):,} of {len(samples):,} samples")
        graded_samples = [by_name[sample.problem_id, sample.index] for sample in samples]
        where = described(sandbox) if sandbox is not None and self.grader.runs_code else "none"
        seconds = time.monotonic() - started
        retry_while_unavailable(
            lambda: self.verdicts.write(
                block, graded_samples, samples_checksum=footer.checksum, made_by=where, seconds=seconds
            )
        )

    def _nonsense(self, what: str) -> PluginError:
        return PluginError(f"{label_of('grader', self.grader)} {what}")

    def tally(self) -> Tally:
        """Count what is stored below k. Samples that no sandbox could judge are left out of n, and counted apart."""
        sampled = self._sampled()
        standing, judged = self._standing(sampled)
        return Tally(
            by_problem=standing.counts(),
            verdicts=standing.verdicts(),
            first_correct=standing.first_correct(),
            equal=self._equal(sampled) if self.grader.runs_code else None,
            below=standing.counted_below(),
            engines=tuple(sorted({footer.engine for footer in sampled.values()})),
            sandboxes=tuple(sorted({of_block.made_by for of_block in judged})),
            drawn_at=_span(footer.drawn_at for footer in sampled.values()),
            graded_at=_span(of_block.written_at for of_block in judged),
        )

    def _standing(self, sampled: Mapping[Block, SampleFooter]) -> tuple[RoundProgress, list[VerdictFooter]]:
        """Where the problems stand by the verdicts on these blocks, and the footers of those."""
        standing = RoundProgress([problem.id for problem in self.problems], self.budget.plan(self.k))
        judged = []
        for block, footer in sampled.items():
            table, of_block = self.verdicts.columns(block, footer, (*SAMPLE_KEY, "verdict"))
            judged.append(of_block)
            for number, end in enumerate(standing.plan.ends):
                if block.start < end:
                    standing.add(number, count_verdicts(table, below=end))
            if not self.budget.gives_coverage:
                standing.add_first_correct(first_with(table, Verdict.CORRECT))
        return standing, judged

    def _equal(self, sampled: Mapping[Block, SampleFooter]) -> int:
        tables = (
            self.verdicts.columns(block, footer, ("index", "verdict", "cpu_s"))[0] for block, footer in sampled.items()
        )
        return sum(count_equal(table, below=self.k) for table in tables)

    def tokens(self, below: Mapping[str, int]) -> list[int | None]:
        """Tokens of prompts and tokens written, over the samples below each problem's index (`Tally.below`); None where
        an engine did not know of some."""
        totals: list[int | None] = [0, 0]
        for block in self._sampled():
            whole = all(below.get(problem.id, 0) >= block.stop for problem in self._problems(block))
            with self._setting_aside(block):
                table = self.samples.columns(block, _TOKENS if whole else (*SAMPLE_KEY, *_TOKENS))
            of_block = column_sums(table if whole else rows_below(table, below), _TOKENS)
            totals = [None if a is None or b is None else a + b for a, b in zip(totals, of_block, strict=True)]
        return totals

    def examples(self, of_each: int) -> list[Example]:
        """A few samples of each verdict, from as many problems as there are to choose from."""
        found: dict[Verdict, dict[str, Example]] = {verdict: {} for verdict in Verdict}
        chosen = {problem.id for problem in self.problems}
        for block, footer in self._sampled().items():
            if block.start > 0:
                continue
            samples, _ = self._read(block)
            graded_samples, _ = self.verdicts.read(block, footer)
            for sample, graded in zip(samples, graded_samples, strict=True):
                if sample.index < self.k and sample.problem_id in chosen and len(found[graded.verdict]) < of_each:
                    found[graded.verdict].setdefault(sample.problem_id, Example(sample, graded))
        return [example for of_verdict in found.values() for example in islice(of_verdict.values(), of_each)]

    def _problems(self, block: Block) -> tuple[Problem, ...]:
        return self._dataset[block.first : block.last]

    def _sampled(self) -> dict[Block, SampleFooter]:
        return self._within(self.samples.stored())

    def _within(self, stored: Mapping[Block, SampleFooter]) -> dict[Block, SampleFooter]:
        """The blocks with samples below k of the chosen problems."""
        return {block: footer for block, footer in stored.items() if block.start < self.k and self._concerns(block)}

    def _concerns(self, block: Block) -> bool:
        """Whether a block holds samples of the chosen problems."""
        at = bisect_left(self.positions, block.first)
        return at < len(self.positions) and self.positions[at] < block.last

    def _read(self, block: Block) -> tuple[list[Sample], SampleFooter]:
        with self._setting_aside(block):
            return self.samples.read(block)

    @contextmanager
    def _setting_aside(self, block: Block) -> Iterator[None]:
        """Samples that turn out to be damaged are set aside, and the error says so."""
        try:
            yield
        except CorruptObjectError as error:
            self.samples.quarantine(block)
            raise UserError(
                f"store: the block of {block} was damaged ({error}) and is set aside; run the sweep again to redraw it"
            ) from error


def described(sandbox: Sandbox) -> str:
    """A sandbox as results name it."""
    return f"{sandbox.name}, memory bounded by {sandbox.memory_bound}"


def _span(times: Iterable[str]) -> str:
    ordered = sorted(set(times))
    return " to ".join(ordered[:: max(1, len(ordered) - 1)])
