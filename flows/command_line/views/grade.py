"""What a person, or a script, sees of `monkeys judge`: something at once, progress, verdicts and what they cost."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from tasks.batch_grading.run import GradeResult


def run_grade(files: dict[str, Path], overrides: Iterable[str], *, as_json: bool, **fields: Any) -> bool:
    """Judge programs in files and show what came of it; returns whether every sample has a verdict.

    Args:
        files: paths of `problems`, `samples` and `output`.
        overrides: `a=b` for fields of the sandbox.
        as_json: print the summary as JSON, and everything else to stderr.
        fields: `all_tests`, and fields of the sandbox (`sandbox` its name); None leaves one as it is.

    Raises:
        UserError: a file or a setting cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    started = time.monotonic()
    console = Console(highlight=False, stderr=as_json)
    console.print(f"[bold]monkeys judge[/] {files['samples']}", soft_wrap=True)

    from flows.command_line.progress_bars import ProgressBars
    from flows.config.grade import GradeConfig
    from flows.config.yaml_file import build_config  # after the first line is on the screen
    from tasks.batch_grading.run import grade_files

    all_tests, name = fields.pop("all_tests"), fields.pop("sandbox")
    sandbox = {"name": name, **{field: value for field, value in fields.items() if value is not None}}
    document = {**files, "all_tests": all_tests, "sandbox": sandbox}
    config = build_config(GradeConfig, document, [f"sandbox.{each}" for each in overrides], where="settings")
    with ProgressBars(console):
        result = grade_files(
            problems=config.problems,
            samples=config.samples,
            output=config.output,
            sandbox=config.sandbox,
            all_tests=config.all_tests,
        )
    _show(result, config.output, time.monotonic() - started, as_json=as_json)
    return result.complete


def _show(result: "GradeResult", output: Path, seconds: float, *, as_json: bool) -> None:
    from flows.command_line.terminal import new_table, plain, print_json, screen

    if as_json:
        print_json({**result._asdict(), "seconds": round(seconds, 3), "output": str(output)})
        return
    console = screen()
    total = sum(result.verdicts.values())
    table = new_table("verdict", "samples", "share", right=(1, 2))
    for verdict, count in result.verdicts.items():
        style = {"correct": "green", "infrastructure": "red"}.get(verdict.value)
        table.add_row(verdict.value, f"{count:,}", f"{count / total:.1%}", style=style)
    console.print(table)
    console.print(
        f"{result.executions:,} executions in {seconds:.0f} s, {result.cpu_s:,.1f} CPU-s of programs; "
        f"{result.sandbox}, memory bounded by {result.memory_bound}"
    )
    if result.equal:
        console.print(
            f"{result.equal:,} programs were the same as another of their problem: {result.saved:,} executions saved"
        )
    for text, times in result.trouble.items():
        console.print(plain(f"{times:,} × the sandbox failed: {text}"), style="red", soft_wrap=True)
    if not result.complete:
        console.print("these samples are not judged; the same command judges them, and nothing else", style="red")
    console.print(f"verdicts: {output}", soft_wrap=True)
