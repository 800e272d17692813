"""The output of `monkeys audit`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from flows.command_line.progress_bars import ProgressBars
from flows.command_line.terminal import literal, new_table, print_json, stdout
from flows.config.audit import AuditGradersConfig, AuditTestsConfig
from flows.config.yaml_file import build_config, read_yaml
from flows.setup.audit import GradersAudited, audit_graders, audit_tests
from tasks.audit.agreement import Agreement, Disagreement
from tasks.audit.labelled import GOLD
from tasks.audit.problem_audit import ProblemAudit
from tasks.report.documents import agreements_document

Config = TypeVar("Config", bound=BaseModel)

_SHOWN = 160


def show_graders(
    file: Path | None, overrides: Iterable[str], *, labelled: str | None, examples: int, as_json: bool
) -> bool:
    """`monkeys audit graders`; returns whether every gold answer is accepted and every sample was graded."""
    config = _config(AuditGradersConfig, file, overrides, {"labelled": labelled})
    console = Console(highlight=False, stderr=as_json)
    with ProgressBars(console):
        result = audit_graders(config)
    if as_json:
        print_json(agreements_document(result.agreements, result.unavailable, examples))
    else:
        _print_graders(result, examples)
    return result.sound


def show_tests(
    file: Path | None,
    overrides: Iterable[str],
    *,
    labelled: str | None,
    repeats: int | None,
    output: Path | None,
    as_json: bool,
) -> bool:
    """`monkeys audit tests`; returns whether every program was graded in every run."""
    config = _config(AuditTestsConfig, file, overrides, {"labelled": labelled, "repeats": repeats, "output": output})
    console = Console(highlight=False, stderr=as_json)
    with ProgressBars(console):
        audits = audit_tests(config)
    if as_json:
        print_json([asdict(each) | {"reason": each.reason} for each in audits])
    else:
        _print_tests(audits, config)
    return not any(each.not_graded for each in audits)


def _config(model: type[Config], file: Path | None, overrides: Iterable[str], fields: Mapping[str, object]) -> Config:
    """A configuration from a sweep file, whose engine, sampling, k and store are ignored."""
    document = read_yaml(file) if file is not None else {}
    kept = {name: value for name, value in document.items() if name in {"dataset", "limit", "grader", "sandbox"}}
    return build_config(model, kept, overrides, where=str(file or "--set"), **fields)


def _print_graders(result: GradersAudited, examples: int) -> None:
    console = stdout()
    # Fits a terminal of 80 columns.
    table = new_table("grader", "samples", "n", "agree", "", "false +", "false −", right=range(2, 7))
    before = None
    for each in result.agreements:
        style = "green" if each.rate == 1 else "red" if each.source == GOLD else None
        table.add_row(
            "" if each.grader == before else each.grader,
            each.source,
            f"{each.samples:,}",
            f"{each.agreed:,}",
            Text(f"{100 * each.rate:.2f}%", style=style or ""),
            *(_count(number) for number in (len(each.false_positives), len(each.false_negatives))),
        )
        before = each.grader
    console.print(table)
    for each in result.agreements:
        if each.not_graded:
            lost = f"{each.grader}: {each.not_graded:,} of {each.samples:,} {each.source} could not be graded"
            console.print(lost, style="yellow", soft_wrap=True)
        for kind, cases in (("false positive", each.false_positives), ("false negative", each.false_negatives)):
            for case in cases[:examples]:
                _print_case(console, each, kind, case)
            if len(cases) > examples:
                more = len(cases) - examples
                what = f"{more:,} {kind}{'s' if more > 1 else ''}{' more' if examples else ''}"
                console.print(f"{each.grader}, {each.source}: {what}\n", style="dim", soft_wrap=True)
    for name, reason in result.unavailable.items():
        console.print(literal(f"{name}: not run ({reason})"), style="yellow", soft_wrap=True)


def _print_case(console: Console, of: Agreement, kind: str, case: Disagreement) -> None:
    console.print(literal(f"{of.grader}: {kind} on {case.sample.problem_id}"), style="bold", soft_wrap=True)
    console.print(literal(f"  {case.verdict}" + (f": {case.detail}" if case.detail else "")), soft_wrap=True)
    if case.gold is not None:
        console.print(literal(f"  gold    {_tail(case.gold)}"), soft_wrap=True)
    console.print(literal(f"  sample  {_tail(case.sample.text)}"), soft_wrap=True)
    console.print()


def _print_tests(audits: Sequence[ProblemAudit], config: AuditTestsConfig) -> None:
    console = stdout()
    bad = [each for each in audits if each.reason is not None]
    if bad:
        table = new_table("problem", "correct", "rejected", "wrong", "accepted", "flaky", "why", right=range(1, 6))
        for each in bad:
            numbers = (each.correct, each.rejected, each.wrong, each.accepted, each.flaky)
            table.add_row(literal(each.problem_id), *map(_count, numbers), literal(each.detail))
        console.print(table)
    checked = [each for each in audits if each.correct + each.wrong]
    console.print(
        f"{len(checked):,} of {len(audits):,} problems have known solutions:"
        f" {sum(each.correct for each in checked):,} correct, {sum(each.wrong for each in checked):,} wrong."
    )
    for count, what in (
        (sum(each.rejected > 0 for each in checked), "reject a correct one"),
        (
            sum(each.flaky > 0 for each in checked),
            f"are flaky: a verdict changes within {config.repeats} run{'s' if config.repeats > 1 else ''}",
        ),
        (sum(each.accepted > 0 for each in checked), "accept a wrong one"),
        (sum(each.not_graded > 0 for each in checked), "could not be graded in some run"),
    ):
        console.print(f"{count:>6,} {what}", style="" if count else "dim")
    if config.output is not None:
        console.print(literal(f"{config.output}: {len(bad):,} to exclude"), soft_wrap=True)


def _count(number: int) -> Text:
    return Text(f"{number:,}", style="" if number else "dim")


def _tail(text: str) -> str:
    """The end of a text, where answers usually are, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else "…" + line[-_SHOWN:]
