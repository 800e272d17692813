"""The output of `monkeys regrade`: the new verdicts, and what they change."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flows import DEFAULT_STORE
from flows.command_line.running import run_flow
from flows.command_line.terminal import literal, new_table, print_json, stdout
from flows.config.regrade import RegradeConfig
from flows.config.yaml_file import build_config, read_config
from flows.setup.prepared import using_prepared
from flows.setup.regrade import prepare
from tasks.errors import UserError
from tasks.records import Verdict
from tasks.report.documents import regrade_document
from tasks.store.inspect.catalog import find
from tasks.store.inspect.opening import open_store

if TYPE_CHECKING:
    from flows.setup.regrade import Regraded
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
    """Check everything first, then run the regrade flow and show the result.

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

    with using_prepared(config, job):
        result = run_flow(Console(highlight=False, stderr=as_json), load, config)
    if as_json:
        print_json(regrade_document(result.samples, result.before, result.after, result.difference))
    else:
        _show(result)


def _config(
    name: str, file: Path | None, overrides: Iterable[str], *, grader: str | None, store: str | None
) -> RegradeConfig:
    """The set's own dataset, or that of a sweep file, whose engine, sampling and k are ignored."""
    if file is not None:
        sweep = read_config(file, overrides, grader=grader, store=store)
        return RegradeConfig(
            samples=name, dataset=sweep.dataset, grader=sweep.grader, sandbox=sweep.sandbox, store=sweep.store
        )
    url = store or DEFAULT_STORE
    with open_store(url) as opened:
        found = find(opened, name)
    if "dataset" not in found.ingredients:
        raise UserError(f"store: set.json of {found.name} does not name a dataset; see `monkeys check`")
    document = {"samples": found.name, "dataset": found.ingredients["dataset"], "store": url}
    return build_config(RegradeConfig, document, overrides, where=f"regrade {found.name}", grader=grader)


def _show(result: "Regraded") -> None:
    console = stdout()
    graded = f"graded {sum(result.after.counts.values()):,} samples of {result.samples.name} as {result.after.name}"
    pending = f"; {result.after.pending:,} pending" if result.after.pending else ""
    console.print(literal(graded + pending), soft_wrap=True)
    if result.before is None or result.difference is None:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(result.after.counts.items()))
        console.print(literal(f"{counts}; no earlier verdicts to compare with"), soft_wrap=True)
        return
    difference = result.difference
    console.print(
        literal(f"compared with {result.before.name}: {difference.changed:,} of {difference.samples:,} changed"),
        soft_wrap=True,
    )
    if difference.uncompared:
        console.print(f"{difference.uncompared:,} samples lack one of the two verdicts and are not compared")
    if not difference.changed:
        return
    _show_verdicts(console, difference)
    _show_problems(console, difference)
    _show_changes(console, difference)


def _show_verdicts(console: Console, difference: "Difference") -> None:
    seen = {verdict for pair in difference.verdicts for verdict in pair}
    verdicts = [verdict.value for verdict in Verdict if verdict in seen]
    table = new_table("before ↓ after →", *verdicts, right=range(1, len(verdicts) + 1))
    for before in verdicts:
        table.add_row(before, *(f"{difference.verdicts.get((before, after), 0):,}" for after in verdicts))
    console.print(table)


def _show_problems(console: Console, difference: "Difference") -> None:
    table = new_table("problem", "samples", "correct before", "correct after", "changed", right=range(1, 5))
    for problem in difference.problems:
        if problem.changed:
            numbers = (problem.samples, problem.correct_before, problem.correct_after, problem.changed)
            table.add_row(literal(problem.problem_id), *(f"{number:,}" for number in numbers))
    console.print(table)


def _show_changes(console: Console, difference: "Difference") -> None:
    for change in difference.changes:
        line = f"{change.problem_id} sample {change.index}: {change.before} → {change.after}"
        console.print(literal(line), soft_wrap=True)
    left = difference.changed - len(difference.changes)
    if left:
        console.print(f"and {left:,} more; raise --limit to list them")
