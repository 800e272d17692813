"""A small store to damage, and what every command and sweep must make of a damaged one."""

from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from flows.command_line.cli import app
from flows.command_line.running import one_line
from tasks.engines.recorded import RecordedEngine
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.integrity import check
from tasks.sweep.sweep import Sweep
from tests.in_memory import InMemory
from tests.store.stored import answers, sweep_of

PROBLEMS, K = 18, 3
ATTEMPTS = 6
"""How often a sweep may end because of damage that it finds and sets aside, before it is whole."""


class Pristine(NamedTuple):
    """An undamaged store, and a sweep of it."""

    folder: Path
    name: str


class Store(NamedTuple):
    """A copy of the store that a test may damage."""

    folder: Path
    name: str

    @property
    def opened(self) -> FsspecStore:
        return FsspecStore(str(self.folder))

    @property
    def sweep(self) -> Sweep:
        sweep = sweep_of(self.opened, problems=PROBLEMS, k=K)
        sweep.grading.claims.expires_after_s = 0.0
        return sweep

    def contents(self) -> dict[str, bytes]:
        return {key: self.opened.read(key) for key in self.opened.keys("")}

    def blocks(self, kind: str) -> list[Path]:
        return sorted((self.folder / kind / self.name).rglob("*.parquet"))


CHECK: tuple[str, ...] = ("check", "NAME")
EXPORT: tuple[str, ...] = ("export", "NAME", "-o", "OUT.jsonl", "--verdicts", "final")
LS: tuple[str, ...] = ("ls",)
SHOW: tuple[str, ...] = ("show", "NAME")


def ends_well(folder: Path, name: str, arguments: tuple[str, ...]) -> str:
    """A command's standard output and the line with which it ends, if it ends in an error."""
    out = str(folder.with_name("out"))
    words = [each.replace("NAME", name).replace("OUT", out) for each in arguments]
    ended = CliRunner().invoke(app, [*words, "--store", str(folder)])
    if isinstance(ended.exception, SystemExit) or ended.exception is None:
        assert ended.exit_code in {0, 1}, ended.output
        ended.output.encode()
        return ended.output
    assert isinstance(ended.exception, Exception)
    line = one_line(ended.exception)
    if line is None:
        raise ended.exception
    assert line.splitlines() == [line]
    line.encode()
    return ended.output + line


def until_whole(store: Store) -> list[str]:
    """Run the sweep again and again; the lines with which it ended. At last everything is stored and graded."""
    lines: list[str] = []
    for _ in range(ATTEMPTS):
        try:
            run(store.sweep)
        except Exception as error:
            line = one_line(error)
            if line is None:
                raise
            assert line.splitlines() == [line]
            lines.append(line)
        else:
            return lines
    raise AssertionError(lines)


def run(sweep: Sweep) -> None:
    """What the flow of a sweep does, without Prefect."""
    engine = RecordedEngine(InMemory(answers(PROBLEMS, K)), "recorded by a test")
    with sweep.grading.claims:
        for block in sweep.missing_samples():
            sweep.draw(block, engine, wait=True)
        for block in sweep.grading.pending_verdicts():
            sweep.grading.grade(block, None, wait=True)
    results = sweep.results()
    assert int(results.tally.by_problem.n.sum()) == PROBLEMS * K
    results.tokens()
    results.examples(4)


def assert_whole(store: Store) -> None:
    """Every sample once, its verdict, and nothing that `check` finds."""
    sweep = store.sweep
    recorded = answers(PROBLEMS, K)
    expected = {(problem, index) for problem, of in recorded.items() for index in of}
    drawn = [sample for block in sweep.samples.blocks() for sample in sweep.samples.read(block)[0]]
    assert sorted((each.problem_id, each.index) for each in drawn) == sorted(expected)
    found = [each for each in check(store.opened, find(store.opened, store.name)) if "/scores/" not in f"/{each.where}"]
    others = sweep.grading.verdicts.identity.name
    assert [each for each in found if not each.where.startswith("verdicts/") or others in each.where] == []
