"""What a person sees of `monkeys regrade`: how many verdicts were owed, and what is judged otherwise now."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows import DEFAULT_STORE
from flows.command_line.running import run_flow
from flows.command_line.terminal import new_table, plain, print_json, reading, screen
from flows.config.regrade import RegradeConfig
from flows.config.yaml_file import build_config, read_config
from flows.setup.prepared import ready
from flows.setup.regrade import prepare
from tasks.errors import UserError
from tasks.records import Verdict
from tasks.store.inspect.catalog import find

if TYPE_CHECKING:
    from flows.regrade import Regraded
    from tasks.store.inspect.regrade_diff import Difference


def run_regrade(
    name: str,
    file: Path | None,
    overrides: Iterable[str],
    *,
    grader: str | None,
    against: str | None,
    store: str | None,
    max_changes: int,
    as_json: bool,
) -> None:
    """Check everything first, then run the regrade flow and show what it found.

    Raises:
        UserError: set, file, fields or store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    config = _config(name, file, overrides, grader=grader, store=store).model_copy(
        update={"against": against, "max_changes": max_changes}
    )
    job = prepare(config)

    def load() -> "Callable[[RegradeConfig], Regraded]":
        from flows.regrade import regrade  # Prefect takes seconds to import

        return regrade

    with ready(config, job):
        result = run_flow(Console(highlight=False, stderr=as_json), load, config)
    if as_json:
        print_json(_document(result))
    else:
        _show(result)


def _config(
    name: str, file: Path | None, overrides: Iterable[str], *, grader: str | None, store: str | None
) -> RegradeConfig:
    """The set's own task unless a sweep file names it; a sweep file's engine, sampling and k play no part."""
    if file is not None:
        sweep = read_config(file, overrides, grader=grader, store=store)
        return RegradeConfig(
            samples=name, task=sweep.task, grader=sweep.grader, sandbox=sweep.sandbox, store=sweep.store
        )
    url = store or DEFAULT_STORE
    with reading(url) as at:
        found = find(at, name)
    if "dataset" not in found.ingredients:
        raise UserError(f"store: set.json of {found.name} names no task; `monkeys check` says more")
    document = {"samples": found.name, "task": found.ingredients["dataset"], "store": url}
    return build_config(RegradeConfig, document, overrides, where=f"regrade {found.name}", grader=grader)


def _show(result: "Regraded") -> None:
    console = screen()
    judged = f"{sum(result.after.counts.values()):,} samples of {result.samples.name} judged as {result.after.name}"
    console.print(plain(judged + (f"; {result.after.owed:,} are owed" if result.after.owed else "")), soft_wrap=True)
    if result.before is None or result.difference is None:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(result.after.counts.items()))
        console.print(plain(f"{counts}; there are no other verdicts to compare with"), soft_wrap=True)
        return
    apart = result.difference
    console.print(
        plain(f"compared with {result.before.name}: {apart.changed:,} of {apart.samples:,} changed"), soft_wrap=True
    )
    if apart.uncompared:
        console.print(f"{apart.uncompared:,} samples lack one of the two verdicts and are not compared")
    if not apart.changed:
        return
    _show_verdicts(console, apart)
    _show_problems(console, apart)
    _show_changes(console, apart)


def _show_verdicts(console: Console, apart: "Difference") -> None:
    seen = {verdict for pair in apart.verdicts for verdict in pair}
    verdicts = [verdict.value for verdict in Verdict if verdict in seen]
    table = new_table("before ↓ after →", *verdicts, right=range(1, len(verdicts) + 1))
    for before in verdicts:
        table.add_row(before, *(f"{apart.verdicts.get((before, after), 0):,}" for after in verdicts))
    console.print(table)


def _show_problems(console: Console, apart: "Difference") -> None:
    table = new_table("problem", "samples", "correct before", "correct after", "changed", right=range(1, 5))
    for problem in apart.problems:
        if problem.changed:
            numbers = (problem.samples, problem.correct_before, problem.correct_after, problem.changed)
            table.add_row(plain(problem.problem_id), *(f"{number:,}" for number in numbers))
    console.print(table)


def _show_changes(console: Console, apart: "Difference") -> None:
    for change in apart.changes:
        line = f"{change.problem_id} sample {change.index}: {change.before} → {change.after}"
        console.print(plain(line), soft_wrap=True)
    left = apart.changed - len(apart.changes)
    if left:
        console.print(f"and {left:,} more; --limit lists more")


def _document(result: "Regraded") -> dict[str, Any]:
    apart = result.difference
    return {
        "set": result.samples.name,
        "before": None if result.before is None else result.before.name,
        "after": result.after.name,
        "counts": result.after.counts,
        "owed": result.after.owed,
        "difference": None
        if apart is None
        else {
            "samples": apart.samples,
            "changed": apart.changed,
            "uncompared": apart.uncompared,
            "verdicts": [
                {"before": before, "after": after, "samples": count}
                for (before, after), count in sorted(apart.verdicts.items())
            ],
            "problems": [problem._asdict() for problem in apart.problems],
            "changes": [asdict(change) for change in apart.changes],
        },
    }
