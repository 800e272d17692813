"""The output of `monkeys pick`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from flows import DEFAULT_STORE
from flows.command_line.terminal import counted, literal, new_table, print_json, print_notes, stdout
from flows.setup.picking import from_files, from_store, selector
from tasks.errors import UserError
from tasks.files.atomic import replacing
from tasks.files.rows import KINDS
from tasks.report.picking.outcomes import Prepared
from tasks.report.picking.phrases import (
    ceiling_sentence,
    error_sentence,
    forecast_sentence,
    gap_sentence,
    intervals_sentence,
    likeness_sentence,
)
from tasks.report.picking.tables import forecast_rows, table_rows
from tasks.selection.available import available
from tasks.selection.summary import PickSummary, summarise

_FIGURES = (".svg", ".pdf", ".png")


def show_pick(
    answers: Sequence[str],
    *,
    store: str | None,
    verdicts: str | None,
    verdict: str | None,
    score_files: Sequence[Path],
    score_names: Sequence[str],
    selectors: Sequence[str],
    ks: Sequence[int] | None,
    grader: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show coverage and what each way of picking delivers, for answers in files or in a stored set."""
    if output is not None and output.suffix not in _FIGURES:
        raise UserError(f"--output: {output}: a figure's name ends in {', '.join(_FIGURES[:-1])} or {_FIGURES[-1]}")
    chosen = [selector(each) for each in selectors]
    if store is None and len(answers) == 1 and not _is_file(answers[0]):
        store = DEFAULT_STORE
    if store is None:
        if verdicts is not None:
            raise UserError("--verdicts: names a verdict set of a stored set, but the answers are in files")
        read = from_files([Path(each) for each in answers], verdict, grader, score_files, score_names)
    else:
        if verdict is not None:
            raise UserError("--verdict: names a scorer of inspect_ai logs; --verdicts names those of a stored set")
        if len(answers) != 1 or score_files or score_names:
            raise UserError("--store: give one stored set, whose scores are those that are stored")
        read = from_store(store, answers[0], verdicts, grader)
    summary = summarise(read.problems, chosen or available(read.problems), ks)
    summary = replace(summary, notes=(*read.notes, *summary.notes))
    if output is not None:
        _write(summary, output)
    if as_json:
        print_json(_document(summary, read))
        return
    _print(summary)
    if output is not None:
        stdout().print(Text(f"figure: {output}"), soft_wrap=True)


def _is_file(name: str) -> bool:
    """Whether a name is that of a file of answers rather than of a stored set."""
    return name.lower().endswith((*KINDS, ".eval")) or Path(name).exists()


def _document(summary: PickSummary, read: Prepared) -> dict[str, Any]:
    """The summary, and for each problem the answers that are written in several ways and count as one."""
    merged = {
        problem.problem_id: [list(each) for each in classes.spellings if len(each) > 1]
        for problem, classes in zip(read.problems, read.classes, strict=True)
    }
    return asdict(summary) | {"same_answers": {problem: each for problem, each in merged.items() if each}}


def _print(summary: PickSummary) -> None:
    out = stdout()
    _print_table(table_rows(summary), out)
    if summary.beyond:
        out.print(literal(forecast_sentence()), soft_wrap=True)
        _print_table(forecast_rows(summary), out)
    counts = f"{counted(summary.problems, 'problem')}, {counted(summary.samples, 'sample')}."
    error = error_sentence(summary)
    for line in (
        f"{counts} {intervals_sentence(summary)}",
        None if error is None else f"{error} --json has each.",
        gap_sentence(summary),
        ceiling_sentence(summary),
        likeness_sentence(summary),
    ):
        if line is not None:
            out.print(literal(line), soft_wrap=True)
    print_notes(out, summary.notes)


def _print_table(rows: Sequence[Mapping[str, str]], out: Console) -> None:
    """The first row is that of coverage; the column that names the ways of picking has no title."""
    _, *columns = rows[0]
    table = new_table("", *columns, right=range(1, len(rows[0])))
    for row in rows:
        table.add_row(*map(literal, row.values()))
    out.print(table)


def _write(summary: PickSummary, output: Path) -> None:
    from tasks.report.picking.figures import pick_figure
    from tasks.report.style import save

    try:
        with replacing(output) as temporary:
            temporary.write_bytes(save(pick_figure(summary), output.suffix[1:], name="pick"))
    except OSError as error:
        raise UserError(f"--output: {output}: cannot be written ({error.strerror})") from error
