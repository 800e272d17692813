"""The output of `monkeys grade`: a first line at once, progress, verdicts and their cost."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from tasks.batch_grading.run import GradeResult


def run_grade(
    files: Mapping[str, Path],
    overrides: Iterable[str],
    *,
    as_json: bool,
    all_tests: bool,
    extract_code: bool,
    sandbox: str,
    workers: int | None,
    python: Path | None,
    time_multiplier: float | None,
) -> bool:
    """Grade programs in files and show the result; returns whether every sample has a verdict.

    Args:
        files: paths of `problems`, `samples` and `output`.
        overrides: `a=b` for fields of the sandbox.
        as_json: print the summary as JSON, and everything else to stderr.
        all_tests: run all tests of a program, even after one has failed.
        extract_code: take the program out of a sample's text.
        sandbox: the name of the sandbox.
        workers: how many programs run at a time; None: one per core.
        python: the Python that runs the programs; None: the sandbox's default.
        time_multiplier: factor on every time limit; None: 1.

    Raises:
        UserError: a file or a setting cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    started = time.monotonic()
    console = Console(highlight=False, stderr=as_json)
    console.print(f"[bold]monkeys grade[/] {files['samples']}", soft_wrap=True)

    from flows.command_line.progress_bars import ProgressBars
    from flows.config.grade import GradeConfig
    from flows.config.yaml_file import build_config  # imported after the first line is shown
    from tasks.batch_grading.run import grade_files

    fields = {"workers": workers, "python": python, "time_multiplier": time_multiplier}
    chosen = {"name": sandbox, **{field: value for field, value in fields.items() if value is not None}}
    document = {**files, "all_tests": all_tests, "extract_code": extract_code, "sandbox": chosen}
    config = build_config(GradeConfig, document, [f"sandbox.{each}" for each in overrides], where="settings")
    with ProgressBars(console):
        result = grade_files(
            problems=config.problems,
            samples=config.samples,
            output=config.output,
            sandbox=config.sandbox,
            all_tests=config.all_tests,
            extract_code=config.extract_code,
        )
    _show(result, config.output, time.monotonic() - started, as_json=as_json)
    return result.complete


def _show(result: "GradeResult", output: Path, seconds: float, *, as_json: bool) -> None:
    from flows.command_line.terminal import literal, new_table, print_json, stdout

    if as_json:
        print_json({**result._asdict(), "seconds": round(seconds, 3), "output": str(output)})
        return
    console = stdout()
    total = sum(result.verdicts.values())
    table = new_table("verdict", "samples", "share", right=(1, 2))
    for verdict, count in result.verdicts.items():
        style = {"correct": "green", "infrastructure": "red"}.get(verdict.value)
        table.add_row(verdict.value, f"{count:,}", f"{count / total:.1%}", style=style)
    console.print(table)
    console.print(
        f"{result.executions:,} executions in {seconds:.0f} s, {result.cpu_s:,.1f} CPU-s in programs; "
        f"{result.sandbox}, memory limited by {result.memory_bound}"
    )
    if result.deduplicated:
        console.print(
            f"deduplicated: {result.deduplicated:,} programs are identical to another one for the same problem;"
            f" {result.executions_saved:,} executions saved"
        )
    for text, times in result.failures.items():
        console.print(literal(f"{times:,} × the sandbox failed: {text}"), style="red", soft_wrap=True)
    if not result.complete:
        console.print("these samples are not graded; run the same command again to grade them", style="red")
    console.print(f"verdicts: {output}", soft_wrap=True)
