"""The output of `monkeys compare --truth`: imperfect verifiers against one that is taken for the truth."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.command_line.terminal import (
    SET_COLOURS,
    counted,
    literal,
    new_table,
    print_json,
    print_notes,
    print_written,
    stdout,
)
from flows.setup.verifiers import from_store, from_tables
from tasks.errors import UserError
from tasks.report.comparison.load import is_file
from tasks.report.phrases import interval, visible
from tasks.report.verifiers.phrases import best_k_sentence, rate, weights_sentence
from tasks.selection.combined_verifiers import Combined
from tasks.selection.verifier_summary import VerifierResult, VerifierSummary, summarise_verifiers
from tasks.store.fsspec_store import FsspecStore


def show_verifiers(
    sets: Sequence[str],
    *,
    truth: str,
    verifiers: Sequence[str],
    penalty: float,
    always: bool,
    combine: bool,
    verdicts: str | None,
    store: str,
    output: str | None,
    as_json: bool,
) -> None:
    """Compare the verifiers of a stored set, or of tables; write the figure and the table if there is a place for them.

    Raises:
        UserError: a set, a column or an option cannot be used; nothing was written.
    """
    if verdicts is not None:
        raise UserError("--verdicts: with --truth, name verdict sets with --verifier")
    if all(map(is_file, sets)):
        read = from_tables([Path(each) for each in sets], truth, verifiers)
    elif len(sets) == 1:
        read = from_store(store, sets[0], truth, verifiers)
    else:
        raise UserError("--truth: give one stored set, whose verdict sets are compared, or tables of samples")
    if not combine and not read.problems[0].verdicts:
        raise UserError(
            f"--verifier: {', '.join(read.problems[0].scores)}: scores accept no sample by themselves; give verdicts, "
            "columns of 0 and 1, or --combine"
        )
    summary = summarise_verifiers(
        read.truth, read.problems, penalty=penalty, always=always, combined=combine, notes=read.notes
    )
    written = () if output is None else _write(output, summary)
    if as_json:
        print_json(asdict(summary) | {"files": list(written)})
        return
    console = stdout()
    print_verifiers(console, summary)
    print_written(console, written, otherwise="use --output FOLDER to write a figure and a table")


def _write(output: str, summary: VerifierSummary) -> tuple[str, ...]:
    from tasks.report.verifiers.publish import publish

    place = FsspecStore(output)
    place.probe()
    return publish(place, summary)


def print_verifiers(console: Console, summary: VerifierSummary) -> None:
    """Show a table for each verifier, what they give together, and the notes."""
    console.print(
        literal(
            f"{counted(summary.problems, 'problem')}, {counted(summary.samples, 'sample')}; truth: {summary.truth}. "
            f"Intervals at {summary.level:.0%} over problems."
        ),
        soft_wrap=True,
    )
    for number, each in enumerate(summary.verifiers):
        _print_verifier(console, summary, each, SET_COLOURS[number % len(SET_COLOURS)])
    if summary.combined is not None:
        _print_combined(console, summary.combined)
    print_notes(console, summary.notes)


def _print_verifier(console: Console, summary: VerifierSummary, each: VerifierResult, colour: str) -> None:
    console.print(
        Text.assemble(
            (visible(each.label), f"bold {colour}"),
            f": precision {rate(each.rates.precision)}, recall {rate(each.rates.recall)}, "
            f"accepts {rate(each.rates.false_positives)} of wrong samples",
        ),
        soft_wrap=True,
    )
    show = "{:.1%}".format
    table = new_table(
        "k", "coverage", "right", f"{summary.level:.0%} interval", "wrong", "nothing", "right of submitted", "gain",
        right=range(8),
    )  # fmt: skip
    for point in each.table:
        gain = f"{point.gain:+.3f}".replace("-", "−")
        table.add_row(
            f"{point.k:,}", show(point.coverage), show(point.right), interval(point.low, point.high, show),
            show(point.wrong), show(point.nothing), "–" if point.trusted is None else show(point.trusted), gain,
        )  # fmt: skip
    console.print(table)
    console.print(literal(best_k_sentence(each, summary)), soft_wrap=True)


def _print_combined(console: Console, combined: Combined) -> None:
    console.print(
        literal(
            f"combined: measured on problems that its weights were not fitted on ({combined.folds} folds of problems)"
        ),
        style="bold", soft_wrap=True,
    )  # fmt: skip
    k = combined.combination.k
    table = new_table("", "precision", "recall", f"best of k = {k:,}", "combined is better by", right=range(1, 5))
    for each in (combined.combination, *combined.alone):
        behind = each.behind
        better = "" if behind is None else f"{100 * behind.value:+.1f} points"
        ends = "" if behind is None else f" ({interval(behind.low, behind.high, lambda gap: f'{100 * gap:+.1f}')})"
        table.add_row(
            literal(each.label), rate(each.rates.precision), rate(each.rates.recall), f"{each.accuracy:.1%}",
            (better + ends).replace("-", "−"),
        )  # fmt: skip
    console.print(table)
    console.print(literal(weights_sentence(combined)), soft_wrap=True)
