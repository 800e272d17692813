"""Progress in a terminal: one bar per stage with rate and time left, or plain lines if output is piped."""

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from flows.command_line.running import printable
from tasks.progress import progress

LINE_EVERY_S = 10.0


class _Rate(ProgressColumn):
    """Recent units per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed", justify="right")


class ProgressBars:
    """Shows progress on a console. A stage appears when there is work for it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}", justify="right"),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._waiting: TaskID | None = None
        self._stages: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._token = progress.set(self)
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bars.stop()
        progress.reset(self._token)

    def wait(self, what: str) -> None:
        """Show a message with a spinner until the first stage starts."""
        self._waiting = self._bars.add_task(what, total=None, count="")
        if not self._console.is_terminal:
            self._console.print(what)

    def plan(self, stage: str, total: int) -> None:
        """Add work to a stage."""
        if not total:
            return
        with self._lock:
            if self._waiting is not None:
                self._bars.remove_task(self._waiting)
                self._waiting = None
            if stage not in self._stages:
                self._stages[stage] = self._bars.add_task(stage, total=0, count="")
            task = self._task(stage)
            self._bars.update(task.id, total=(task.total or 0) + total, count=_count(task, total))

    def advance(self, stage: str, done: int) -> None:
        """Count units of a stage as done."""
        with self._lock:
            task = self._task(stage)
            self._bars.update(task.id, advance=done)
            self._bars.update(task.id, count=_count(task))
            due = time.monotonic() - self._last_line >= LINE_EVERY_S
            if due and not self._console.is_terminal:
                self._last_line = time.monotonic()
                for each in self._bars.tasks:
                    self._console.print(_line(each))

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._console.print(printable(line), style="dim", markup=False, soft_wrap=True)

    def _task(self, stage: str) -> Task:
        return next(task for task in self._bars.tasks if task.id == self._stages[stage])


def _count(task: Task, more: int = 0) -> str:
    return f"{task.completed:,.0f} of {(task.total or 0) + more:,.0f}"


def _line(task: Task) -> str:
    rate = f" · {task.speed:,.0f}/s" if task.speed else ""
    left = f" · {task.time_remaining:,.0f} s left" if task.time_remaining else ""
    return f"{task.description} {_count(task)}{rate}{left}"
