"""The output of `monkeys pick`."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from flows.command_line.terminal import counted, literal, new_table, print_json, print_notes, stdout
from flows.setup.picking import Prepared, from_store, prepared, selector
from tasks.errors import UserError
from tasks.files.answers import read_answers
from tasks.files.atomic import replacing
from tasks.report.phrases import interval
from tasks.scaling.summary import percent
from tasks.selection.available import available
from tasks.selection.summary import PickedCurve, PickSummary, summarise

_FIGURES = (".svg", ".pdf", ".png")


def show_pick(
    answers: Sequence[str],
    *,
    store: str | None,
    verdicts: str | None,
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
    if store is None:
        if verdicts is not None:
            raise UserError("--verdicts: names verdicts of a stored set, whose store --store names")
        read = prepared(read_answers([Path(each) for each in answers], score_files, score_names), grader)
    else:
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


def _document(summary: PickSummary, read: Prepared) -> dict[str, Any]:
    """The summary, and for each problem the answers that are written in several ways and count as one."""
    merged = {
        problem.problem_id: [list(each) for each in classes.spellings if len(each) > 1]
        for problem, classes in zip(read.problems, read.classes, strict=True)
    }
    return asdict(summary) | {"same_answers": {problem: each for problem, each in merged.items() if each}}


def _print(summary: PickSummary) -> None:
    curves = [summary.coverage, *summary.picked]
    ks = [point.k for point in summary.coverage.table]
    columns = ("", *(f"k = {k:,}" for k in ks), "over problems", "over samples", "plateau")
    table = new_table(*columns, right=range(1, len(columns)))
    for each in curves:
        last = each.table[-1]
        intervals = (_interval(last.low, last.high), _interval(last.low_samples, last.high_samples))
        table.add_row(literal(each.label), *(f"{point.value:.1%}" for point in each.table), *intervals, _plateau(each))
    out = stdout()
    out.print(table)
    out.print(
        f"{counted(summary.problems, 'problem')}, {counted(summary.samples, 'sample')}. Intervals at "
        f"{summary.level:.0%}, for k = {ks[-1]:,}. Plateau: the smallest k beyond which no larger k gains more than a "
        "point, and its interval over problems.",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    error = max((point.error for each in curves for point in each.table), default=0.0)
    if error:
        simulated = ", ".join(each.label for each in curves if any(point.error for point in each.table))
        out.print(
            literal(
                f"Means over all subsets of k samples; those of {simulated} are by Monte Carlo where that is cheaper, "
                f"with standard errors up to {100 * error:.2f} points (--json has each)."
            ),
            soft_wrap=True,
        )
    gap = summary.gap
    if gap is not None:
        best, points = gap
        k = summary.coverage.table[-1].k
        out.print(
            literal(
                f"k = {k:,}: {percent(summary.coverage.table[-1].value)} of the problems have a correct sample; "
                f"{best.label} delivers {percent(best.table[-1].value)}: a gap of {100 * points:.1f} points."
            ),
            soft_wrap=True,
        )
    if summary.ceiling is not None:
        out.print(
            f"modal ceiling: {percent(summary.ceiling.value)} (interval: "
            f"{_interval(summary.ceiling.low, summary.ceiling.high)}): the share of problems whose most frequent "
            "answer is correct, to which majority vote tends as k grows.",
            soft_wrap=True, markup=False,
        )  # fmt: skip
    if summary.likeness is not None:
        correlation, effective = summary.likeness.correlation, summary.likeness.effective
        out.print(
            f"correlation of two samples of a problem: {correlation.value:.2f} ({correlation.low:.2f} – "
            f"{correlation.high:.2f}); {summary.likeness.n:,} samples are worth {effective.value:.1f} independent ones "
            "for mean accuracy.",
            soft_wrap=True, markup=False,
        )  # fmt: skip
    print_notes(out, summary.notes)


def _interval(low: float | None, high: float | None) -> str:
    return interval(low, high, lambda share: f"{100 * share:.1f}")


def _plateau(curve: PickedCurve) -> str:
    """The plateau and its interval; its upper end may be beyond the data."""
    found, last = curve.plateau, curve.curve[-1].k
    if found is None or last == 1:
        return ""
    if found.k is None:
        return f"still rises at {last:,}"
    high = f"beyond {last:,}" if found.high is None else f"{found.high:,}"
    return f"{found.k:,}" if found.low is None else f"{found.k:,} ({found.low:,} – {high})"


def _write(summary: PickSummary, output: Path) -> None:
    from tasks.report.picking import pick_figure
    from tasks.report.style import save

    try:
        with replacing(output) as temporary:
            temporary.write_bytes(save(pick_figure(summary), output.suffix[1:], name="pick"))
    except OSError as error:
        raise UserError(f"--output: {output}: cannot be written ({error.strerror})") from error
