"""What a person sees of a sweep in the terminal: something at once, progress by stage, a table, the report's path."""

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.table import Table

from flows.ready import ready
from flows.temporary_server import ServerError
from sandboxes import SandboxUnavailableError
from tasks.errors import CapReachedError, EngineFailedError, InputError, NoneCompletedError, StoreAwayError

if TYPE_CHECKING:
    from flows.config import SweepConfig
    from flows.sweep import SweepResult
    from tasks.scaling.solving import Solving
    from tasks.scaling.summary import SweepSummary

Config = TypeVar("Config")
Result = TypeVar("Result")

_FOR_PEOPLE = (
    InputError,
    SandboxUnavailableError,
    ServerError,
    NoneCompletedError,
    CapReachedError,
)

_PREFECT_DEFAULTS = {
    # The bars, the table and the one-line errors say it all here; the Prefect UI still shows the logs.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def run_sweep(file: Path, overrides: Iterable[str], *, workers: int | None, deployment: str, **fields: Any) -> None:
    """Check everything first, then run the sweep flow and show what it found. With `workers`, so many runs of a
    deployment of it share the work.

    Raises:
        InputError: file, fields or store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    started = time.monotonic()
    console = Console(highlight=False)
    console.print(f"[bold]monkeys sweep[/] {file}")

    from flows.config_file import read_config  # noqa: PLC0415 - after the first line is on the screen
    from flows.prepare import prepare, prepare_shared  # noqa: PLC0415

    config = read_config(file, overrides, **fields)
    job = prepare(config) if workers is None else prepare_shared(config)
    most = f"{config.k:,}" if job.single_round else f"up to {config.k:,}"
    problems = f"{len(job.problems):,} problem{'s' if len(job.problems) > 1 else ''}"
    left_out = f" ({job.left_out:,} left out by {config.exclude})" if job.left_out else ""
    console.print(
        f"{problems}{left_out} × {most} samples of {config.engine.label} on {config.task.name},"
        f" stored in {config.store}"
    )

    def load() -> "Callable[[SweepConfig], SweepResult]":
        from flows.spread import spread  # noqa: PLC0415 - Prefect takes seconds to import
        from flows.sweep import sweep  # noqa: PLC0415

        return sweep if workers is None else partial(spread, workers=workers, deployment=deployment)

    if workers is not None:
        require_server("--workers")
    with ready(config, job):
        result = run_flow(console, load, config)
    _show(console, result, time.monotonic() - started)


def run_flow(console: Console, load: Callable[[], Callable[[Config], Result]], config: Config) -> Result:
    """Run a flow with progress bars. `load` imports it, which takes seconds, while a temporary server starts."""
    from flows.command_line.progress_bars import ProgressBars  # noqa: PLC0415
    from flows.temporary_server import prefect_api  # noqa: PLC0415

    for name, value in _PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    with ProgressBars(console) as bars:
        bars.wait("starting Prefect")
        with prefect_api() as wait_for_api:
            flow = load()
            wait_for_api()
            return flow(config)


def require_server(option: str) -> None:
    """Refuse what a temporary server cannot do, as no worker polls it.

    Raises:
        InputError: Prefect's settings name no server.
    """
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - seconds

    if not PREFECT_API_URL.value():
        raise InputError(f"{option}: needs a Prefect server that workers poll; start one and set PREFECT_API_URL")


def one_line(error: Exception) -> str | None:
    """The message for an error that a person can mend, or None for a fault of ours, which deserves its traceback."""
    if isinstance(error, EngineFailedError):
        return f"{error}; what is drawn is stored, and the same command goes on from there"
    if isinstance(error, _FOR_PEOPLE):
        return str(error)
    if isinstance(error, StoreAwayError):
        return f"{error}; what is stored stays, and the same command goes on from there"
    url = os.environ.get("PREFECT_API_URL")
    if (url and "httpx" in type(error).__module__) or "Failed to reach API" in str(error):
        return f"PREFECT_API_URL: {url} does not answer; start it (`prefect server start`) or unset PREFECT_API_URL"
    return None


def _show(console: Console, result: "SweepResult", seconds: float) -> None:
    from tasks.report.wording import law_sentence, usage_sentence  # noqa: PLC0415 - numpy, long after the first line

    summary = result.summary
    stored = summary.samples + summary.verdicts.get("infrastructure", 0)
    which = "below k" if summary.sampled is None else "for this budget"
    if result.drawn:
        console.print(f"drew {result.drawn:,} samples in {seconds:.0f} s; {stored:,} are stored {which}")
    else:
        console.print(f"drew 0 samples: all {stored:,} {which} are stored already ({seconds:.0f} s)")
    if summary.solving is None:
        console.print(_coverage_table(summary))
    else:
        console.print(_solving_table(summary.solving))
    console.print(f"[bold]{summary.headline}[/]")
    if summary.solving is None:
        console.print(law_sentence(summary))
    if summary.usage is not None:
        console.print(usage_sentence(summary))
    for note in summary.notes:
        console.print(f"[yellow]{note}[/]")
    console.print(result.publication.judged, soft_wrap=True)
    console.print(f"report: {result.publication.page}", soft_wrap=True)


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
    for column in ("samples", "solved by them", "solved in all"):
        table.add_column(column, justify="right")
    total = 0
    for step in solving.steps():
        total += step.problems
        table.add_row(f"{step.k:,}", f"{step.problems:,}", f"{total:,} of {solving.problems:,}")
    return table
