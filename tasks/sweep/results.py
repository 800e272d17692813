"""The stored results of a sweep: verdicts counted, tokens summed, and examples of samples.

The store is listed once, so that the page, figures and tables of a report agree even if other sweeps keep writing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from tasks.provers import UNCONFIRMED_NOTE
from tasks.records import GradedSample, Price, Sample, Verdict
from tasks.scaling.cost import Usage
from tasks.scaling.estimators import Counts
from tasks.scaling.settled_votes import Voting
from tasks.scaling.summary import SweepSummary, summarise, summarise_solving, summarise_voting
from tasks.store.blocks import Block
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.sample_layout import SampleFooter
from tasks.store.tables import column_sums, count_equal, first_with, rows_below
from tasks.sweep.budgets import Budget
from tasks.sweep.grading import Grading
from tasks.sweep.rounds import RoundProgress, graded_columns
from tasks.sweep.shared_blocks import setting_aside

_TOKENS = ("prompt_tokens", "tokens")


@dataclass(frozen=True, slots=True)
class Tally:
    """The verdicts on the samples that the budget counts: n and c of each problem, and the number of each verdict.

    `first_correct` has the index of each problem's first correct sample, under a budget that stops there; `voting` is
    what votes deliver, under a budget that stops by them.
    `deduplicated` is the number of samples that were graded by the execution of an equal program; None if the grader
    runs no programs. A problem's samples count below index `counted_below`. `engines` and `sandboxes` name all that
    took part, between the times in `drawn_at` and `graded_at` (UTC).
    """

    by_problem: Counts
    verdicts: dict[str, int]
    first_correct: dict[str, int]
    voting: Voting | None
    deduplicated: int | None
    counted_below: dict[str, int]
    engines: tuple[str, ...]
    sandboxes: tuple[str, ...]
    drawn_at: str
    graded_at: str


@dataclass(frozen=True, slots=True)
class Example:
    """A sample with its verdict."""

    sample: Sample
    graded: GradedSample


class Results:
    """The graded blocks of samples that were stored when this object was made."""

    def __init__(
        self, *, grading: Grading, budget: Budget, price: Price | None, stored: Mapping[Block, SampleFooter]
    ) -> None:
        self._grading = grading
        self._selection = grading.selection
        self._budget = budget
        self._price = price
        self._blocks = grading.selection.within(stored)

    @cached_property
    def tally(self) -> Tally:
        """The counts. Samples with an infrastructure failure are left out of n; `verdicts` has their number.

        Raises:
            UserError: verdicts are damaged; they are set aside, to be graded again.
        """
        rounds = RoundProgress([problem.id for problem in self._selection.problems], self._budget, self._selection.k)
        runs_code = self._grading.grader.runs_code
        columns = (*graded_columns(self._budget), *(["cpu_s"] if runs_code else []))
        deduplicated, footers = 0, []
        for block, footer in self._blocks.items():
            table, of_verdicts = self._grading.verdict_columns(block, footer, columns)
            footers.append(of_verdicts)
            rounds.add(block, table)
            if not self._budget.gives_coverage:
                rounds.add_first_correct(first_with(table, Verdict.CORRECT))
            if runs_code:
                deduplicated += count_equal(table, below=self._selection.k)
        return Tally(
            by_problem=rounds.counts(),
            verdicts=rounds.verdicts(),
            first_correct=rounds.first_correct(),
            voting=rounds.voting(),
            deduplicated=deduplicated if runs_code else None,
            counted_below=rounds.counted_below(),
            engines=tuple(sorted({footer.engine for footer in self._blocks.values()})),
            sandboxes=tuple(sorted({footer.made_by for footer in footers})),
            drawn_at=_span(footer.drawn_at for footer in self._blocks.values()),
            graded_at=_span(footer.written_at for footer in footers),
        )

    def tokens(self) -> tuple[int | None, int | None]:
        """Prompt tokens and completion tokens of the samples that count; None if an engine did not report all of them.

        Raises:
            UserError: a block is damaged; it is set aside, to be drawn again.
        """
        totals: list[int | None] = [0, 0]
        below = self.tally.counted_below
        for block in self._blocks:
            whole = all(below.get(problem.id, 0) >= block.stop for problem in self._selection.problems_in(block))
            with setting_aside(self._grading.samples, block):
                table = self._grading.samples.columns(block, _TOKENS if whole else (*SAMPLE_KEY, *_TOKENS))
            of_block = column_sums(table if whole else rows_below(table, below), _TOKENS)
            totals = [None if a is None or b is None else a + b for a, b in zip(totals, of_block, strict=True)]
        prompt_tokens, tokens = totals
        return prompt_tokens, tokens

    def summarise(self) -> SweepSummary:
        """Coverage and its fitted law, or what was solved if the budget gives no coverage; raises as `tally` does."""
        tally = self.tally
        samples = int(tally.by_problem.n.sum()) + tally.verdicts.get(Verdict.INFRASTRUCTURE, 0)
        usage = Usage(samples, *self.tokens(), self._price)
        if tally.voting is not None:
            summary = summarise_voting(tally.by_problem, tally.verdicts, tally.voting, usage)
        elif self._budget.gives_coverage:
            summary = summarise(tally.by_problem, tally.verdicts, max_k=self._selection.k, usage=usage)
        else:
            summary = summarise_solving(tally.by_problem, tally.verdicts, tally.first_correct, self._selection.k, usage)
        first_round = self._budget.plan(self._selection.k).ends[0]
        return replace(summary, notes=(*self._notes(), *summary.notes), first_round=first_round)

    def _notes(self) -> Iterator[str]:
        if excluded := self._selection.excluded:
            of = len(self._selection.problems) + excluded
            verb = "is" if excluded == 1 else "are"
            yield f"{excluded:,} of {of:,} problems {verb} left out by `exclude`; all results are for the others."
        if self._grading.unconfirmed:
            yield UNCONFIRMED_NOTE

    def examples(self, of_each: int) -> list[Example]:
        """Up to `of_each` samples with each verdict, all of different problems.

        Raises:
            UserError: a block is damaged; it is set aside, to be drawn again.
        """
        found: dict[Verdict, dict[str, Example]] = {verdict: {} for verdict in Verdict}
        selected = {problem.id for problem in self._selection.problems}
        for block, footer in self._blocks.items():
            if block.start > 0:
                continue
            samples, _ = self._grading.read_samples(block)
            graded_samples = self._grading.read_verdicts(block, footer)
            for sample, graded in zip(samples, graded_samples, strict=True):
                of_verdict = found[graded.verdict]
                if sample.index < self._selection.k and sample.problem_id in selected and len(of_verdict) < of_each:
                    of_verdict.setdefault(sample.problem_id, Example(sample, graded))
        return [example for of_verdict in found.values() for example in islice(of_verdict.values(), of_each)]


def _span(times: Iterable[str]) -> str:
    ordered = sorted(set(times))
    return " to ".join(ordered[:: max(1, len(ordered) - 1)])
