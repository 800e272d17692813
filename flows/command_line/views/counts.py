"""The output of `monkeys curve` and `monkeys forecast`."""

from pathlib import Path

from flows.command_line.terminal import new_table, print_json, print_notes, stdout
from tasks.files.counts import read_counts_file
from tasks.report.phrases import backtest_rows, backtest_sentence
from tasks.scaling.backtest import compare_laws
from tasks.scaling.counts_csv import curve_document, forecast_document


def show_curve(file: Path, *, as_json: bool) -> None:
    """Show coverage at round k, the fitted law, and the error of each law at k held out of its fit."""
    counts = read_counts_file(file)
    document = curve_document(counts)
    if as_json:
        print_json(document)
        return
    table = new_table("k", "coverage", "95% interval over problems", right=(0, 1, 2))
    for point in document["curve"]:
        interval = "–" if point["low"] is None else f"{point['low']:.2%} – {point['high']:.2%}"
        table.add_row(f"{point['k']:,}", f"{point['coverage']:.2%}", interval)
    stdout().print(table)
    law = document["power_law"]
    if law is None:
        stdout().print("no power law fitted: too few problems are solved, or there are too few samples")
    else:
        stdout().print(
            f"log c = a·k^b with a = {law['a']:.3f}, b = {law['b']:.3f}"
            f" (error in coverage: {law['mean_abs_error']:.2%} on average, {law['max_abs_error']:.2%} at most)"
        )
    print_notes(stdout(), document["notes"])
    laws = compare_laws(counts.graded())
    if laws is not None:
        compared = new_table("law", "median error", "r.m.s. error", right=(1, 2))
        for row in backtest_rows(laws):
            compared.add_row(*row)
        stdout().print(compared)
        stdout().print(backtest_sentence(laws), soft_wrap=True)


def show_forecast(file: Path, k: int, *, as_json: bool) -> None:
    """Show expected coverage at one k, with intervals."""
    document = forecast_document(read_counts_file(file), k)
    if as_json:
        print_json(document)
        return
    stdout().print(
        f"[bold]k = {k:,}: coverage {document['coverage']:.2%}[/]"
        f"   50%: {document['low50']:.2%} – {document['high50']:.2%}"
        f"   90%: {document['low90']:.2%} – {document['high90']:.2%}   ({document['method']})"
    )
    stdout().print("The intervals are over samples: for the true coverage of these problems at k.", soft_wrap=True)
    print_notes(stdout(), document["notes"])
