"""The output of `monkeys cost`."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from flows.command_line.terminal import SET_COLOURS, literal, new_table, print_json, print_notes, print_written, stdout
from flows.config.cost import CostConfig
from flows.config.yaml_file import build_config
from flows.setup.cost import load, write
from tasks.costs.comparison import CostComparison, CostedSet
from tasks.errors import UserError
from tasks.report.cost.phrases import amount, cost_label, findings, headline
from tasks.report.documents import cost_document
from tasks.report.phrases import interval, visible


def show_costs(fields: dict[str, Any], configs: Sequence[str], parameters: Sequence[str], *, as_json: bool) -> None:
    """Compare by cost, write the figure and the tables if there is a place for them, and show the result.

    Raises:
        UserError: a field, a set or a price cannot be used; nothing was written.
    """
    document = fields | {
        "configs": _pairs(configs, "--config SET=FILE"),
        "parameters": {name: _count(value) for name, value in _pairs(parameters, "--parameters SET=NUMBER").items()},
    }
    config = build_config(CostConfig, document, where="cost")
    comparison = load(config)
    written = write(config, comparison)
    if as_json:
        print_json(cost_document(comparison) | {"files": list(written)})
        return
    console = stdout()
    print_costs(console, comparison)
    print_written(console, written, otherwise="use --output FOLDER to write a figure and tables")


def print_costs(console: Console, comparison: CostComparison) -> None:
    """Show a table for each set, and the findings in sentences."""
    console.print(literal(headline(comparison)), style="bold", soft_wrap=True)
    for number, each in enumerate(comparison.sets):
        _print_set(console, comparison, each, SET_COLOURS[number])
    for sentence in findings(comparison):
        console.print(literal(sentence), soft_wrap=True)
    print_notes(console, comparison.notes)


def _print_set(console: Console, comparison: CostComparison, each: CostedSet, colour: str) -> None:
    console.print(Text.assemble((visible(each.label), f"bold {colour}"), f": {cost_label(comparison)}"), soft_wrap=True)
    on_frontier = {point.option.parts[0] for point in comparison.frontier}
    solved = "problem solved" if comparison.delivered_by is None else "right answer"
    per = (f"per {solved}", "per further one", "per point")
    table = new_table(
        "k",
        "cost",
        "solved" if comparison.delivered_by is None else "right",
        f"{comparison.level:.0%} interval",
        *per,
        "",
        right=range(7),
    )
    for point in each.table:
        costs = (point.cost, point.per_solved, point.per_further, point.per_point)
        total, each_solved, further, of_point = (amount(cost, comparison.measure) for cost in costs)
        band = interval(point.low, point.high, lambda share: f"{share:.1%}")
        mark = "frontier" if (each.label, point.k) in on_frontier and len(comparison.sets) > 1 else ""
        table.add_row(f"{point.k:,}", total, f"{point.accuracy:.1%}", band, each_solved, further, of_point, mark)
    console.print(table)


def _pairs(texts: Sequence[str], form: str) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UserError(f"{form.partition(' ')[0]} {text}: not of the form {form}")
        found[name] = value
    return found


def _count(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 1 <= number <= 1e18:
        raise UserError(f"--parameters: {text!r} is not a number of parameters, such as 8030261248 or 8.03e9")
    return round(number)
