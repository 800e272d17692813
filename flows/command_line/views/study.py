"""The output of `monkeys study`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from flows.command_line.running import run_flow
from tasks.errors import UserError

if TYPE_CHECKING:
    from flows.config.study import StudyConfig
    from flows.study import StudyResult


def run_study(files: Sequence[Path], overrides: Sequence[str], *, k: int | None, store: str | None) -> None:
    """Check every sweep first, then run them in turn, and show how they compare.

    Raises:
        UserError: a file, fields or the store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    console = Console(highlight=False)
    console.print(f"[bold]monkeys study[/] {escape(' '.join(map(str, files)))}")

    from flows.command_line.terminal import counted, literal
    from flows.command_line.views.compare import print_comparison  # imported after the first line is shown
    from flows.config.study import MAX_SWEEPS, StudyConfig
    from flows.config.yaml_file import read_config
    from flows.setup.prepared import using_prepared
    from flows.setup.sweep import prepare

    if not 2 <= len(files) <= MAX_SWEEPS:
        raise UserError(f"study: takes two to {MAX_SWEEPS} sweep files, not {len(files)}")
    sweeps = tuple(read_config(file, overrides, k=k, store=store) for file in files)
    if len({each.store for each in sweeps}) > 1:
        raise UserError("store: the sweeps of a study share one store, but these files name several; give --store")
    config = StudyConfig(sweeps=sweeps)
    with ExitStack() as prepared:
        for file, each in zip(files, config.sweeps, strict=True):
            job = prepare(each)
            prepared.enter_context(using_prepared(each, job))
            drawn = f"{counted(len(job.selection.problems), 'problem')} × {each.k:,} samples of {each.engine.label}"
            console.print(literal(f"{file}: {drawn} on {each.dataset.name}, stored in {each.store}"))
        result = run_flow(console, _load, config)
    for one in result.sweeps:
        console.print(literal(one.summary.headline), style="bold")
        console.print(literal(f"report: {one.publication.page}"), soft_wrap=True)
    print_comparison(console, result.compared.comparison)
    console.print(literal(f"page: {result.compared.page}"), soft_wrap=True)


def _load() -> "Callable[[StudyConfig], StudyResult]":
    from flows.study import study  # Prefect takes seconds to import

    return study
