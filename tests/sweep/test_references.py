"""A problem whose own solution fails is named when its samples are graded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.datasets.custom import CustomDataset
from tasks.graders.functions import FunctionsGrader
from tasks.progress import NullProgress, progress
from tasks.records import LabelledSample
from tasks.sweep.references import failing_references, tell_failing_references


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    config = BubblewrapConfig(time_limit_s=2, memory_limit_mb=256)
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with config.open() as opened:
        yield opened


class Lines(NullProgress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


def row(name: str, test: str, *solutions: str) -> dict[str, object]:
    return {"id": name, "question": name, "function": {"entry_point": "f", "test": test}, "solutions": solutions}


RIGHT, WRONG, LOST = "def f(x): return x", "def f(x): return 7", "def g(x): return x"
TEST = "def check(f): assert f(1) == 1"


def dataset_of(folder: Path, *rows: dict[str, object]) -> CustomDataset:
    path = folder / "problems.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return CustomDataset(path=str(path))


def test_a_problem_none_of_whose_solutions_passes_is_found(sandbox: Sandbox, tmp_path: Path) -> None:
    dataset = dataset_of(
        tmp_path,
        row("good", TEST, RIGHT),
        row("bad", TEST, WRONG),
        row("one of two", TEST, WRONG, RIGHT),
        row("worse", TEST, LOST, WRONG),
        row("none", TEST),
    )
    found = failing_references(dataset.load(), dataset.solutions(), FunctionsGrader(), sandbox)
    assert [each.problem_id for each in found] == ["bad", "worse"]
    assert [each.verdict for each in found] == ["wrong", "error"]
    assert failing_references(dataset.load()[:1], dataset.solutions(), FunctionsGrader(), sandbox) == []


def test_it_is_told_in_one_line(sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = Lines()
    token = progress.set(lines)
    try:
        for rows in ([row("a", TEST, RIGHT)], [row("a", TEST, RIGHT), row("b", TEST, WRONG), row("c", TEST, LOST)]):
            dataset = dataset_of(tmp_path, *rows)
            tell_failing_references(dataset, dataset.load(), FunctionsGrader(), sandbox)
    finally:
        progress.reset(token)
    (line,) = lines.said
    assert line.startswith(
        "the reference solution of problem 'b' (and 1 more) fails its own test (wrong: line 1 Assertion"
    )
    assert line in caplog.messages
    assert "\n" not in line


def test_solutions_of_other_kinds_of_problem_are_not_even_read(sandbox: Sandbox, tmp_path: Path) -> None:
    class Unreadable(CustomDataset):
        def solutions(self) -> Iterator[LabelledSample]:
            raise AssertionError

    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "a", "question": "?", "answer": "1", "solutions": ["1"]}\n')
    dataset = Unreadable(path=str(path))
    tell_failing_references(dataset, dataset.load(), FunctionsGrader(), sandbox)
