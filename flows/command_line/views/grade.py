"""The output of `monkeys grade`: a first line at once, progress, verdicts and their cost."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from tasks.batch_grading.run import GradeResult

_REASONS = 10
_PROGRAMS_ONLY = ("all_tests", "extract_code")
_OTHER_ROLES = ("dataset.", "grader.")
_SANDBOX_FIELDS = ("workers", "python", "time_multiplier")


class GradeFiles(NamedTuple):
    """The arguments of the command: the name of a dataset or a file of problems, a file of samples, and the file to
    write."""

    problems: str
    samples: Path
    output: Path

    @property
    def dataset(self) -> str | None:
        """The name of a dataset; None if it is a file of problems. A folder of that name is not one."""
        return None if "." in self.problems or "/" in self.problems or Path(self.problems).is_file() else self.problems


@dataclass(frozen=True, slots=True)
class GradeOptions:
    """The options of the command; None: not given."""

    overrides: Iterable[str] = ()
    grader: str | None = None
    prover: str | None = None
    sandbox: str | None = None
    workers: int | None = None
    python: Path | None = None
    time_multiplier: float | None = None
    all_tests: bool = False
    extract_code: bool = False

    def sandbox_fields(self) -> dict[str, Any]:
        """The fields of the sandbox that are given."""
        return {name: value for name in _SANDBOX_FIELDS if (value := getattr(self, name)) is not None}

    def of_sandbox(self) -> str | None:
        """An option that only a sandbox has, if one is given."""
        fields = [*(["sandbox"] if self.sandbox else []), *self.sandbox_fields()]
        options = [f"--{name.replace('_', '-')}" for name in fields]
        settings = [f"--set {each.partition('=')[0]}" for each in self.overrides if not each.startswith(_OTHER_ROLES)]
        return next(iter([*options, *settings]), None)


class _Summary(NamedTuple):
    """What is shown of a result."""

    result: "GradeResult"
    grader: str | None = None
    unconfirmed: bool = False


def run_grade(files: GradeFiles, options: GradeOptions, *, as_json: bool) -> bool:
    """Grade the samples of a file and show the result; returns whether every sample has a verdict.

    Args:
        files: what is read and written.
        options: how samples are graded.
        as_json: print the summary as JSON, and everything else to stderr.

    Raises:
        UserError: a file or a setting cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    started = time.monotonic()
    console = Console(highlight=False, stderr=as_json)
    console.print(f"[bold]monkeys grade[/] {escape(str(files.samples))}", soft_wrap=True)

    from flows.command_line.progress_bars import ProgressBars  # imported after the first line is shown

    with ProgressBars(console):
        is_programs = files.dataset is None and options.grader is None and options.prover is None
        summary = (_grade_programs if is_programs else _grade_dataset)(files, options)
    _show(summary, files.output, time.monotonic() - started, as_json=as_json)
    return summary.result.complete


def _grade_programs(files: GradeFiles, options: GradeOptions) -> _Summary:
    from flows.config.grade import GradeConfig
    from flows.config.yaml_file import build_config
    from tasks.batch_grading.run import grade_files

    document = {
        **{"problems": files.problems, "samples": files.samples, "output": files.output},
        **{name: getattr(options, name) for name in _PROGRAMS_ONLY},
        "sandbox": {"name": options.sandbox or "bubblewrap", **options.sandbox_fields()},
    }
    config = build_config(GradeConfig, document, [f"sandbox.{each}" for each in options.overrides], where="settings")
    return _Summary(grade_files(**dict(config)))


def _grade_dataset(files: GradeFiles, options: GradeOptions) -> _Summary:
    from flows.config.grade import GradeDatasetConfig
    from flows.config.yaml_file import build_config
    from flows.setup.batch_grading import grade_by_dataset
    from flows.setup.defaults import resolve_grader
    from tasks.errors import UserError

    for name in _PROGRAMS_ONLY:
        if getattr(options, name):
            raise UserError(f"--{name.replace('_', '-')}: is for a file of programs' tests; set a field of the grader")
    document: dict[str, Any] = {
        "dataset": files.dataset or {"name": "custom", "path": files.problems},
        **{"samples": files.samples, "output": files.output},
        "sandbox": {"name": options.sandbox or "bubblewrap", **options.sandbox_fields()},
    }
    if options.prover is not None:
        if options.grader not in {None, "proof"}:
            raise UserError(f"--prover {options.prover}: only the grader proof has a prover, not {options.grader}")
        document["grader"] = {"name": "proof", "prover": {"name": options.prover}}
    elif options.grader is not None:
        document["grader"] = {"name": options.grader}
    overrides = [
        each if each.startswith((*_OTHER_ROLES, "sandbox.")) else f"sandbox.{each}" for each in options.overrides
    ]
    if "grader" not in document:
        others = [each for each in overrides if not each.startswith("grader.")]
        dataset = build_config(GradeDatasetConfig, document, others, where="settings").dataset
        document["grader"] = {"name": dataset.grader}
    config = build_config(GradeDatasetConfig, document, overrides, where="settings")
    grader = resolve_grader(config.dataset, config.grader)
    if not grader.runs_code and (unused := options.of_sandbox()) is not None:
        raise UserError(f"{unused}: the grader {grader.name} runs no programs in a sandbox; set a field of the grader")
    return _Summary(*grade_by_dataset(config))


def _show(summary: _Summary, output: Path, seconds: float, *, as_json: bool) -> None:
    from flows.command_line.terminal import literal, new_table, print_json, stdout
    from tasks.provers import UNCONFIRMED_NOTE

    result, grader, unconfirmed = summary
    if as_json:
        about = {} if grader is None else {"grader": grader, "unconfirmed": unconfirmed}
        print_json({**result._asdict(), **about, "seconds": round(seconds, 3), "output": str(output)})
        return
    console = stdout()
    total = sum(result.verdicts.values())
    table = new_table("verdict", "samples", "share", right=(1, 2))
    for verdict, count in result.verdicts.items():
        style = {"correct": "green", "infrastructure": "red"}.get(verdict.value)
        table.add_row(verdict.value, f"{count:,}", f"{count / total:.1%}", style=style)
    console.print(table)
    if unconfirmed:
        console.print(UNCONFIRMED_NOTE, style="yellow", soft_wrap=True)
    if grader is not None:
        console.print(literal(f"{grader}; {seconds:.0f} s, {result.cpu_s:,.1f} CPU-s"), soft_wrap=True)
    else:
        console.print(
            f"{result.executions:,} executions in {seconds:.0f} s, {result.cpu_s:,.1f} CPU-s in programs; "
            f"{result.sandbox}, memory limited by {result.memory_bound}"
        )
    if result.deduplicated:
        saved = "" if result.executions_saved is None else f"; {result.executions_saved:,} executions saved"
        things = "samples" if result.executions_saved is None else "programs"
        console.print(
            f"deduplicated: {result.deduplicated:,} {things} are identical to another one for the same problem{saved}"
        )
    for text, times in list(result.failures.items())[:_REASONS]:
        console.print(literal(f"{times:,} × not graded: {text}"), style="red", soft_wrap=True)
    if len(result.failures) > _REASONS:
        console.print(f"and {len(result.failures) - _REASONS:,} other reasons", style="red")
    if not result.complete:
        console.print("these samples are not graded; run the same command again to grade them", style="red")
    console.print(literal(f"verdicts: {output}"), soft_wrap=True)
