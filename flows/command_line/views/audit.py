"""What a person, or a script, sees of `monkeys audit`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from flows.command_line.progress_bars import ProgressBars
from flows.command_line.terminal import new_table, plain, print_json, screen
from flows.config.audit import AuditGradersConfig, AuditTestsConfig
from flows.config.yaml_file import build_config, read_yaml
from flows.setup.audit import GradersAudited, audit_graders, audit_tests
from tasks.audit.agreement import Agreement, Disagreement
from tasks.audit.labelled import GOLD
from tasks.audit.problem_audit import ProblemAudit

Config = TypeVar("Config", bound=BaseModel)

_SHOWN = 160


def show_graders(
    file: Path | None, overrides: Iterable[str], *, labelled: str | None, examples: int, as_json: bool
) -> bool:
    """`monkeys audit graders`; whether every gold answer is equal to itself, and all was judged."""
    config = _config(AuditGradersConfig, file, overrides, labelled=labelled)
    console = Console(highlight=False, stderr=as_json)
    with ProgressBars(console):
        result = audit_graders(config)
    if as_json:
        print_json(_document(result, examples))
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
    """`monkeys audit tests`; whether all was judged."""
    config = _config(AuditTestsConfig, file, overrides, labelled=labelled, repeats=repeats, output=output)
    console = Console(highlight=False, stderr=as_json)
    with ProgressBars(console):
        audits = audit_tests(config)
    if as_json:
        print_json([asdict(each) | {"reason": each.reason} for each in audits])
    else:
        _print_tests(audits, config)
    return not any(each.undecided for each in audits)


def _config(model: type[Config], file: Path | None, overrides: Iterable[str], **fields: Any) -> Config:
    """A sweep file's engine, sampling, k and store play no part."""
    document = read_yaml(file) if file is not None else {}
    kept = {name: value for name, value in document.items() if name in {"task", "problems", "grader", "sandbox"}}
    return build_config(model, kept, overrides, where=str(file or "--set"), **fields)


def _print_graders(result: GradersAudited, examples: int) -> None:
    console = screen()
    # As wide as a terminal is: 80 columns.
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
        if each.undecided:
            lost = f"{each.grader}: {each.undecided:,} of {each.samples:,} {each.source} could not be judged"
            console.print(lost, style="yellow", soft_wrap=True)
        for kind, cases in (("false positive", each.false_positives), ("false negative", each.false_negatives)):
            for case in cases[:examples]:
                _print_case(console, each, kind, case)
            if len(cases) > examples:
                more = len(cases) - examples
                what = f"{more:,} {kind}{'s' if more > 1 else ''}{' more' if examples else ''}"
                console.print(f"{each.grader}, {each.source}: {what}\n", style="dim", soft_wrap=True)
    for name, reason in result.unavailable.items():
        console.print(plain(f"{name}: not run ({reason})"), style="yellow", soft_wrap=True)


def _print_case(console: Console, of: Agreement, kind: str, case: Disagreement) -> None:
    console.print(plain(f"{of.grader}: {kind} on {case.known.problem_id}"), style="bold", soft_wrap=True)
    console.print(plain(f"  {case.verdict}" + (f": {case.detail}" if case.detail else "")), soft_wrap=True)
    if case.gold is not None:
        console.print(plain(f"  gold    {_ending(case.gold)}"), soft_wrap=True)
    console.print(plain(f"  sample  {_ending(case.known.text)}"), soft_wrap=True)
    console.print()


def _print_tests(audits: Sequence[ProblemAudit], config: AuditTestsConfig) -> None:
    console = screen()
    bad = [each for each in audits if each.reason is not None]
    if bad:
        table = new_table("problem", "right", "rejected", "wrong", "accepted", "flaky", "why", right=range(1, 6))
        for each in bad:
            numbers = (each.right, each.rejected, each.wrong, each.accepted, each.flaky)
            table.add_row(plain(each.problem_id), *map(_count, numbers), plain(each.detail))
        console.print(table)
    checked = [each for each in audits if each.right + each.wrong]
    console.print(
        f"{len(checked):,} of {len(audits):,} problems have known solutions:"
        f" {sum(each.right for each in checked):,} right, {sum(each.wrong for each in checked):,} wrong."
    )
    for count, what in (
        (sum(each.rejected > 0 for each in checked), "reject a right one"),
        (
            sum(each.flaky > 0 for each in checked),
            f"change their verdict within {config.repeats} run{'s' if config.repeats > 1 else ''}",
        ),
        (sum(each.accepted > 0 for each in checked), "accept a wrong one"),
        (sum(each.undecided > 0 for each in checked), "could not be judged in some run"),
    ):
        console.print(f"{count:>6,} {what}", style="" if count else "dim")
    if config.output is not None:
        console.print(plain(f"{config.output}: {len(bad):,} to leave out"), soft_wrap=True)


def _count(number: int) -> Text:
    return Text(f"{number:,}", style="" if number else "dim")


def _ending(text: str) -> str:
    """The end of a text, where answers stand, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else "…" + line[-_SHOWN:]


def _document(result: GradersAudited, examples: int) -> dict[str, Any]:
    return {
        "agreements": [
            {
                "grader": each.grader,
                "samples": each.source,
                "n": each.samples,
                "agreed": each.agreed,
                "not_judged": each.undecided,
                "false_positives": len(each.false_positives),
                "false_negatives": len(each.false_negatives),
                "examples": [
                    {**case.known._asdict(), "gold": case.gold, "verdict": case.verdict.value, "detail": case.detail}
                    for cases in (each.false_positives, each.false_negatives)
                    for case in cases[:examples]
                ],
            }
            for each in result.agreements
        ],
        "not_run": result.unavailable,
    }
