"""The output of `monkeys sweep`: a first line at once, progress by stage, a table, and the path of the report."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.command_line.running import require_server, run_flow
from flows.setup.prepared import using_prepared

if TYPE_CHECKING:
    from flows.config.sweep import SweepConfig
    from flows.sweep import SweepResult
    from tasks.report.picking.model import Picking
    from tasks.scaling.first_success import Solving
    from tasks.scaling.settled_votes import Voting
    from tasks.scaling.summary import SweepSummary


def run_sweep(
    file: Path, overrides: Iterable[str], *, workers: int | None, deployment: str, k: int | None, store: str | None
) -> None:
    """Check everything first, then run the sweep flow and show the result. With `workers`, that many runs of a
    deployment share the work.

    Raises:
        UserError: file, fields or store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    started = time.monotonic()
    console = Console(highlight=False)
    console.print(f"[bold]monkeys sweep[/] {escape(str(file))}")

    from flows.command_line.terminal import counted, literal
    from flows.config.yaml_file import read_config  # imported after the first line is shown
    from flows.setup.sweep import prepare, prepare_for_workers

    config = read_config(file, overrides, k=k, store=store)
    job = prepare(config) if workers is None else prepare_for_workers(config)
    most = f"{config.k:,}" if job.single_round else f"up to {config.k:,}"
    problems = counted(len(job.selection.problems), "problem")
    excluded = f" ({job.selection.excluded:,} excluded by {config.exclude})" if job.selection.excluded else ""
    what = f"{problems}{excluded} × {most} samples of {config.engine.label} on {config.dataset.name}"
    console.print(literal(f"{what}, stored in {config.store}"))

    def load() -> "Callable[[SweepConfig], SweepResult]":
        from flows.distributed import distributed_sweep  # Prefect takes seconds to import
        from flows.sweep import sweep

        return sweep if workers is None else partial(distributed_sweep, workers=workers, deployment=deployment)

    if workers is not None:
        require_server("--workers")
    with using_prepared(config, job):
        result = run_flow(console, load, config)
    _show(console, result, time.monotonic() - started)


def _show(console: Console, result: "SweepResult", seconds: float) -> None:
    from flows.command_line.terminal import literal
    from tasks.report.phrases import law_sentence, usage_sentence  # imports numpy

    summary = result.summary
    stored = summary.samples + summary.verdicts.get("infrastructure", 0)
    which = "up to k" if summary.gives_coverage and summary.stopping is None else "for this budget"
    if result.drawn:
        console.print(f"drew {result.drawn:,} samples; {stored:,} are stored {which} ({seconds:.0f} s)")
    else:
        console.print(f"nothing to sample: all {stored:,} samples {which} are already stored ({seconds:.0f} s)")
    if summary.solving is not None:
        console.print(_solving_table(summary.solving))
    elif summary.voting is not None:
        console.print(_voting_table(summary.voting))
    else:
        console.print(_coverage_table(summary))
    if result.picking is not None and summary.gives_coverage:
        _show_picking(console, result.picking)
    console.print(literal(summary.headline), style="bold")
    if summary.gives_coverage:
        console.print(law_sentence(summary))
    if summary.usage is not None:
        console.print(usage_sentence(summary))
    for note in summary.notes:
        console.print(literal(note), style="yellow")
    console.print(literal(result.publication.grading_note), soft_wrap=True)
    for scores in result.scores:
        console.print(literal(f"scores: {scores}"), soft_wrap=True)
    console.print(literal(f"report: {result.publication.page}"), soft_wrap=True)


def _show_picking(console: Console, picking: "Picking | str") -> None:
    """A line for each way of picking an answer, or why there is none."""
    from flows.command_line.terminal import literal
    from tasks.report.picking.phrases import headlines

    for line in [picking] if isinstance(picking, str) else headlines(picking):
        console.print(literal(line), soft_wrap=True)


def _coverage_table(summary: "SweepSummary") -> Table:
    table = Table(title="coverage", title_justify="left")
    table.add_column("k", justify="right")
    table.add_column("coverage", justify="right")
    table.add_column(f"{summary.level:.0%} interval", justify="right")
    for point in summary.table:
        interval = "–" if point.low is None or point.high is None else f"{point.low:.1%} – {point.high:.1%}"
        table.add_row(f"{point.k:,}", f"{point.coverage:.1%}", interval)
    return table


def _solving_table(solving: "Solving") -> Table:
    table = Table(title="problems by samples to the first success", title_justify="left")
    for column in ("samples", "newly solved", "solved in total"):
        table.add_column(column, justify="right")
    total = 0
    for step in solving.steps():
        total += step.problems
        table.add_row(f"{step.k:,}", f"{step.problems:,}", f"{total:,} of {solving.problems:,}")
    return table


def _voting_table(voting: "Voting") -> Table:
    from tasks.report.sweep.vote_rows import vote_rows

    table = Table(title="problems by samples until their vote was settled", title_justify="left")
    for column in ("samples", "problems", "right answers"):
        table.add_column(column, justify="right")
    for row in vote_rows(voting):
        table.add_row(row.label, f"{row.problems:,}", f"{row.right:,g}")
    return table
