"""What is stored of a sweep, looked up once: its verdicts counted, its tokens summed, its samples shown.

A report is made of one look at the store, so that its page, figures and tables agree while other sweeps go on writing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from tasks.records import GradedSample, Price, Sample, Verdict
from tasks.scaling.cost import Usage
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary, summarise, summarise_solving
from tasks.store.blocks import Block
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.samples import SampleFooter
from tasks.store.tables import column_sums, count_equal, first_with, rows_below
from tasks.sweep.budgets import Budget
from tasks.sweep.grading import Grading
from tasks.sweep.rounds import GRADED_COLUMNS, RoundProgress
from tasks.sweep.shared_blocks import setting_aside

_TOKENS = ("prompt_tokens", "tokens")


@dataclass(frozen=True, slots=True)
class Tally:
    """The stored verdicts on the samples that the budget counts: n and c by problem, and how often each verdict was
    given. `first_correct` is the index of a problem's first correct sample, under a budget that stops there.

    `deduplicated` counts samples that were graded by the execution of an equal program; None where the grader runs
    none. `counted_below` is the index of each problem below which its samples count. `engines` and `sandboxes` name all
    that took part; `drawn_at` and `graded_at` span the times (UTC) at which they did.
    """

    by_problem: Counts
    verdicts: dict[str, int]
    first_correct: dict[str, int]
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
    """The blocks of samples that were stored when it was made, all of them graded."""

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
        """The counts. Samples that no sandbox could grade are not in n; `verdicts` has their number.

        Raises:
            UserError: verdicts are damaged; they are set aside, to be graded again.
        """
        rounds = RoundProgress(
            [problem.id for problem in self._selection.problems], self._budget.plan(self._selection.k)
        )
        runs_code = self._grading.grader.runs_code
        columns = (*GRADED_COLUMNS, "cpu_s") if runs_code else GRADED_COLUMNS
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
            deduplicated=deduplicated if runs_code else None,
            counted_below=rounds.counted_below(),
            engines=tuple(sorted({footer.engine for footer in self._blocks.values()})),
            sandboxes=tuple(sorted({footer.made_by for footer in footers})),
            drawn_at=_span(footer.drawn_at for footer in self._blocks.values()),
            graded_at=_span(footer.written_at for footer in footers),
        )

    def tokens(self) -> tuple[int | None, int | None]:
        """Prompt tokens and completion tokens of the samples that count; None where an engine did not report them for
        all.

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
        """Coverage and the law through it, or what was solved where the budget is for that."""
        tally = self.tally
        samples = int(tally.by_problem.n.sum()) + tally.verdicts.get(Verdict.INFRASTRUCTURE, 0)
        usage = Usage(samples, *self.tokens(), self._price)
        if self._budget.gives_coverage:
            summary = summarise(tally.by_problem, tally.verdicts, max_k=self._selection.k, usage=usage)
        else:
            summary = summarise_solving(tally.by_problem, tally.verdicts, tally.first_correct, self._selection.k, usage)
        return replace(summary, notes=(*self._note_on_selection(), *summary.notes))

    def _note_on_selection(self) -> list[str]:
        excluded = self._selection.excluded
        if not excluded:
            return []
        of = len(self._selection.problems) + excluded
        verb = "is" if excluded == 1 else "are"
        return [f"{excluded:,} of {of:,} problems {verb} left out by `exclude`: all results are about the others."]

    def examples(self, of_each: int) -> list[Example]:
        """Up to `of_each` samples with each verdict, each of another problem.

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
