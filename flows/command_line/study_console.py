"""What a person sees of `monkeys study`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.command_line.console import run_flow
from tasks.errors import InputError

if TYPE_CHECKING:
    from flows.config import StudyConfig
    from flows.study import StudyResult


def run_study(files: Sequence[Path], overrides: Sequence[str], **fields: Any) -> None:
    """Check every sweep first, then run them one after another, and show how they compare.

    Raises:
        InputError: a file, fields or the store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    console = Console(highlight=False)
    console.print(f"[bold]monkeys study[/] {' '.join(map(str, files))}")

    from flows.command_line.compare_console import print_comparison  # noqa: PLC0415 - after the first line is on the screen
    from flows.config import MOST_SWEEPS, StudyConfig  # noqa: PLC0415
    from flows.config_file import read_config  # noqa: PLC0415
    from flows.prepare import prepare  # noqa: PLC0415
    from flows.ready import ready  # noqa: PLC0415

    if not 2 <= len(files) <= MOST_SWEEPS:
        raise InputError(f"study: takes two to {MOST_SWEEPS} sweep files, not {len(files)}")
    sweeps = tuple(read_config(file, overrides, **fields) for file in files)
    if len({each.store for each in sweeps}) > 1:
        raise InputError("store: the sweeps of a study share one, and these files name several; give --store")
    config = StudyConfig(sweeps=sweeps)
    with ExitStack() as prepared:
        for each in config.sweeps:
            prepared.enter_context(ready(each, prepare(each)))
            console.print(f"{each.k:,} samples of {each.engine.label} on {each.task.name}, stored in {each.store}")
        result = run_flow(console, _load, config)
    for one in result.sweeps:
        console.print(f"[bold]{one.summary.headline}[/]")
        console.print(f"report: {one.publication.page}", soft_wrap=True)
    print_comparison(console, result.comparison)


def _load() -> "Callable[[StudyConfig], StudyResult]":
    from flows.study import study  # noqa: PLC0415 - Prefect takes seconds to import

    return study
