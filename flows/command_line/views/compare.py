"""The output of `monkeys compare`."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from flows.command_line.terminal import SET_COLOURS, literal, new_table, print_json, print_notes, stdout
from flows.config.compare import CompareConfig
from flows.config.yaml_file import build_config
from flows.setup.compare import load, write
from tasks.report.comparison.delivery import Delivered
from tasks.report.comparison.phrases import chance, findings, is_clear, points, span
from tasks.report.documents import comparison_document, delivered_document
from tasks.scaling.comparison import Comparison, Pair
from tasks.scaling.paired_differences import Difference

_WIDTH = 31


def show_comparison(
    sets: Sequence[str], *, verdicts: str | None, store: str, output: str | None, as_json: bool
) -> None:
    """Compare, write the page if there is a place for it, and show the result."""
    document = {"sets": tuple(sets), "store": store, "verdicts": verdicts, "output": output}
    config = build_config(CompareConfig, document, where="compare")
    compared = load(config)
    comparison, files = compared.comparison, write(config, compared)
    if as_json:
        delivered = "" if files is None else files.delivered
        print_json(
            comparison_document(comparison)
            | {
                "delivered": None if isinstance(delivered, str) else delivered_document(delivered),
                "page": None if files is None else files.page,
            }
        )
        return
    console = stdout()
    print_comparison(console, comparison)
    if files is not None:
        _print_delivered(console, files.delivered, comparison.sets[0].label)
    console.print(
        literal("use --output FOLDER to write a page with figures" if files is None else f"page: {files.page}"),
        soft_wrap=True,
    )


def _print_delivered(console: Console, delivered: Delivered | str, reference: str) -> None:
    if isinstance(delivered, str):
        if delivered:
            console.print(literal(delivered), soft_wrap=True)
        return
    _print_rows(console, delivered.rows())
    if delivered.differences:
        console.print(literal(f"delivered, minus {reference}, in percentage points"), soft_wrap=True)
        _print_rows(console, delivered.difference_rows())
    print_notes(console, delivered.notes)


def _print_rows(console: Console, rows: Sequence[Mapping[str, str]]) -> None:
    table = new_table(*rows[0], right=range(2, len(rows[0])))
    for row in rows:
        table.add_row(*map(literal, row.values()))
    console.print(table)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Show the curves, the paired differences, and the findings in sentences."""
    console.print(Text(comparison.headline, style="bold"), soft_wrap=True)
    _print_curves(console, comparison)
    for number, pair in enumerate(comparison.pairs, start=1):
        if pair.differences:
            _print_pair(console, comparison, pair, SET_COLOURS[number])
    for each in findings(comparison):
        console.print(literal(each), soft_wrap=True)
    print_notes(console, comparison.notes)


def _print_curves(console: Console, comparison: Comparison) -> None:
    names = [each.label for each in comparison.sets]
    table = new_table("k", *map(escape, names), right=range(len(names) + 1))
    for column, colour in zip(table.columns[1:], SET_COLOURS, strict=False):
        column.header_style = f"bold {colour}"
    at = [{point.k: point.coverage for point in each.summary.table} for each in comparison.sets]
    for k in sorted(set().union(*at)):
        values = [of_set.get(k) for of_set in at]
        known = [value for value in values if value is not None]
        best = max(known) if len(set(known)) > 1 else None
        cells = [
            Text("–" if value is None else f"{value:.1%}", style="bold" if value is not None and value == best else "")
            for value in values
        ]
        table.add_row(f"{k:,}", *cells)
    console.print(table)


def _print_pair(console: Console, comparison: Comparison, pair: Pair, colour: str) -> None:
    reference = comparison.sets[0].label
    console.print(
        Text.assemble((pair.label, f"bold {colour}"), f" minus {reference}, in percentage points"), soft_wrap=True
    )
    low = min(0.0, *(each.low for each in pair.differences))
    high = max(0.0, *(each.high for each in pair.differences))
    table = new_table("k", "difference", f"{comparison.level:.0%} interval", "p", _scale(low, high), right=(0, 1, 3))
    for each in pair.differences:
        style = "bold" if is_clear(each) else "dim"
        table.add_row(
            f"{each.k:,}", Text(points(each.difference), style=style), span(each), chance(each.p),
            _whisker(each, low, high, colour),
        )  # fmt: skip
    console.print(table)


def _scale(low: float, high: float) -> str:
    """The ends of the axis on which intervals are drawn, in percentage points."""
    left, right = points(low), points(high)
    return left + " " * (_WIDTH - len(left) - len(right)) + right


def _whisker(difference: Difference, low: float, high: float, colour: str) -> Text:
    """An interval as ├──●──┤ on an axis with a bar at zero."""
    step = (high - low) / (_WIDTH - 1) or 1.0
    start, middle, stop, zero = (
        round((value - low) / step) for value in (difference.low, difference.difference, difference.high, 0.0)
    )
    cells = [" "] * _WIDTH
    cells[zero] = "│"
    cells[start : stop + 1] = ["─"] * (stop - start + 1)
    cells[start], cells[stop] = "├", "┤"
    cells[middle] = "●"
    return Text("".join(cells), style=colour if is_clear(difference) else "dim")
