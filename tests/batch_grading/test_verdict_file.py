"""Order, resumption, and that a file is whole where it has its name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxUnavailableError, Status
from sandboxes.batch import Batch
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.batch_grading.inputs import Samples, check_samples
from tasks.batch_grading.programs import by_tests
from tasks.batch_grading.run import grade_files
from tasks.batch_grading.verdict_file import VerdictFile
from tasks.errors import UserError
from tasks.records import Problem, StdioCheck, StdioTest
from tests.sandboxes.conftest import SUM, open_sandbox
from tests.sandboxes.wrapped import WrappedSandbox

PROBLEMS = {"p": Problem("p", "", StdioCheck((StdioTest("1 2", "3"), StdioTest("2 2", "4"))))}
SLOW = "import time; time.sleep(0.3)\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox("bubblewrap") as opened:
        yield opened


@dataclass
class Failing(WrappedSandbox):
    """Fails on programs that contain one of the words."""

    words: tuple[str, ...] = ()
    ran: list[str] = field(default_factory=list)

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        self.ran.append(program)
        if any(word in program for word in self.words):
            return Outcome(Status.INFRASTRUCTURE, detail="it went away")
        return self.inner.run(program, stdin, limits)


def samples_of(folder: Path, *programs: str) -> Samples:
    path = folder / "samples.jsonl"
    rows = ({"problem_id": "p", "index": 100 - n, "text": program} for n, program in enumerate(programs))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return check_samples(path, PROBLEMS)


def run(output: Path, samples: Samples, sandbox: Sandbox) -> list[str]:
    """Grade, and return the verdicts of the file."""
    with VerdictFile(output, samples, "work") as verdicts:
        list(verdicts.grade(by_tests(PROBLEMS, Batch(sandbox, retries=0))))
        verdicts.finish()
        lines = [json.loads(line) for line in output.read_text().splitlines()]
        assert sum(verdicts.counts.values()) == samples.count
        assert sorted(verdicts.counts.elements()) == sorted(line["verdict"] for line in lines)
    assert [line["index"] for line in lines] == [100 - n for n in range(samples.count)]
    assert [list(line) for line in lines] == [["problem_id", "index", "verdict", "detail", "cpu_s", "wall_s"]] * len(
        lines
    )
    return [line["verdict"] for line in lines]


def test_verdicts_are_in_the_order_of_the_samples(tmp_path: Path, sandbox: Sandbox) -> None:
    samples = samples_of(tmp_path, SLOW + SUM, SUM, "", "print(3)", SUM, SLOW + "1/0", SUM)
    ran = Failing(sandbox)
    verdicts = run(tmp_path / "v.jsonl", samples, ran)
    assert verdicts == ["correct", "correct", "no_answer", "wrong", "correct", "error", "correct"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples.jsonl", "v.jsonl"]


def test_an_existing_file_is_not_replaced(tmp_path: Path, sandbox: Sandbox) -> None:
    samples = samples_of(tmp_path, SUM)
    (tmp_path / "v.jsonl").write_text("mine")
    with pytest.raises(UserError, match="already exists"):
        VerdictFile(tmp_path / "v.jsonl", samples, "work")
    assert (tmp_path / "v.jsonl").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    samples = samples_of(tmp_path, SUM)
    with pytest.raises(UserError, match="is a folder; name a file in it"):
        VerdictFile(tmp_path, samples, "work")
    with pytest.raises(UserError, match=r"v\.jsonl: cannot be written \(No such file"):
        VerdictFile(tmp_path / "no" / "v.jsonl", samples, "work")


def test_interrupted_grading_resumes_and_writes_no_file_before_it_is_complete(tmp_path: Path, sandbox: Sandbox) -> None:
    output, programs = tmp_path / "v.jsonl", [f"{SUM} # {n}" for n in range(8)]
    samples = samples_of(tmp_path, *programs)
    with VerdictFile(output, samples, "work") as verdicts:
        grading = verdicts.grade(by_tests(PROBLEMS, Batch(sandbox)))
        for _ in range(3):
            next(grading)
        grading.close()
        with pytest.raises(UserError, match="another `monkeys grade`"):
            VerdictFile(output, samples, "work")
    assert not output.exists()
    # As a kill in the middle of a line leaves it.
    with verdicts.log.open("ab") as log:
        log.write(b'7\t{"problem_id": "p", "ind')
    again = Failing(sandbox)
    assert run(output, samples, again) == ["correct"] * 8
    assert 1 <= len(set(again.ran)) <= 6
    assert not verdicts.log.exists()


def test_other_work_does_not_resume_from_the_log(tmp_path: Path, sandbox: Sandbox) -> None:
    samples = samples_of(tmp_path, SUM, "1/0")
    with VerdictFile(tmp_path / "v.jsonl", samples, "other") as verdicts:
        next(verdicts.grade(by_tests(PROBLEMS, Batch(sandbox))))
    ran = Failing(sandbox)
    assert run(tmp_path / "v.jsonl", samples, ran) == ["correct", "error"]
    assert set(ran.ran) == {SUM, "1/0"}


@pytest.mark.parametrize("lost", [("A",), ("A", "C"), ("D",), ("A", "B", "C", "D")])
def test_only_samples_on_which_the_sandbox_failed_are_graded_again(
    tmp_path: Path, sandbox: Sandbox, lost: tuple[str, ...]
) -> None:
    output, programs = tmp_path / "v.jsonl", [f"{SUM} # {letter}" for letter in "ABCD"]
    samples = samples_of(tmp_path, *programs)
    for _ in range(2):
        verdicts = run(output, samples, Failing(sandbox, words=lost))
        assert verdicts == ["infrastructure" if letter in lost else "correct" for letter in "ABCD"]
    ran = Failing(sandbox)
    assert run(output, samples, ran) == ["correct"] * 4
    assert {program[-1] for program in ran.ran} == set(lost)
    with pytest.raises(UserError, match="already exists"):
        run(output, samples, ran)


def test_grading_that_did_not_begin_leaves_no_file(tmp_path: Path) -> None:
    with VerdictFile(tmp_path / "v.jsonl", samples_of(tmp_path, SUM), "work"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["samples.jsonl"]


class Leaving(BubblewrapConfig):
    """A sandbox that is gone after its first programs, and stays so."""

    def open(self) -> Sandbox:
        return Gone(super().open())


@dataclass
class Gone(WrappedSandbox):
    name: str = "gone"
    workers: int = 1
    served: int = 0

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        self.served += 1
        if self.served > 10:
            return Outcome(Status.INFRASTRUCTURE, detail="it went away")
        return self.inner.run(program, stdin, limits)

    def __exit__(self, *exc: object) -> None:
        self.inner.__exit__()


def test_a_sandbox_that_keeps_failing_ends_the_grading_and_keeps_the_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.batch_grading.run._MAX_FAILURES", 3)
    (tmp_path / "problems.jsonl").write_text('{"id": "p", "tests": [{"input": "1 2", "output": "3"}]}\n')
    samples = samples_of(tmp_path, *(f"{SUM} # {n}" for n in range(100))).path
    files = {"problems": tmp_path / "problems.jsonl", "samples": samples, "output": tmp_path / "v.jsonl"}
    with pytest.raises(
        SandboxUnavailableError,
        match=r"gone has failed 3 programs in a row \(.*it went away\).*, with 90 still to grade\. Finished work",
    ):
        grade_files(**files, sandbox=Leaving(workers=1), all_tests=False, extract_code=False)
    assert not files["output"].exists()
    result = grade_files(**files, sandbox=BubblewrapConfig(workers=1), all_tests=False, extract_code=False)
    assert (result.earlier, result.executions, result.complete) == (10, 90, True)
