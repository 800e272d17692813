"""`monkeys predictions`: one chosen patch for each issue, written and read back. No container is needed: verdicts are
given."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandboxes import Sandbox
from tasks.datasets.swe_bench import SweBenchDataset
from tasks.engines.recorded import RecordedEngine
from tasks.graders.swe_bench import SweBenchGrader
from tasks.importers.swe_bench import SweBench
from tasks.records import GradedSample, Problem, Sample, Sampling, Verdict
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.budgets import UniformConfig
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.datasets.files import written
from tests.datasets.test_swe_bench import row
from tests.flows.command import monkeys
from tests.in_memory import InMemory
from tests.repositories.images import commit_files
from tests.store.stored import fill

FILES = {"names.py": "ONE = 2\n", "setup.cfg": ""}
FIRST, SECOND, THIRD, FOURTH = (f"pallets__flask-{number}" for number in (1, 2, 3, 4))


def diff(new: str) -> str:
    return f"diff --git a/names.py b/names.py\n--- a/names.py\n+++ b/names.py\n@@ -1 +1 @@\n-ONE = 2\n+ONE = {new}\n"


def block(new: str) -> str:
    return f"names.py\n<<<<<<< SEARCH\nONE = 2\n=======\nONE = {new}\n>>>>>>> REPLACE\n"


def answered(text: str, tree: str | None, correct: bool = False, logprob: float = -1.0) -> dict[str, Any]:
    verdict = Verdict.CORRECT if correct else Verdict.WRONG if tree else Verdict.NO_ANSWER
    return {"text": text, "tree": tree, "verdict": verdict, "logprob": logprob}


SAMPLES = {
    # The majority is wrong; the fourth sample alone is right, and has the highest log-probability.
    FIRST: [
        answered("I do not know.", None),
        answered(diff("3"), "tree 3"),
        answered(f"```diff\n{diff('3')}```", "tree 3"),
        answered(diff("1"), "tree 1", correct=True, logprob=-0.1),
    ],
    # What the model thinks is not its patch; the patch needs the file that the model was shown.
    SECOND: [answered(f"[T]{block('7')}[/T]\n{block('1')}", "tree 1", correct=True)] * 2
    + [answered("", None), answered(diff("9"), "tree 9")],
    THIRD: [answered("I give up.", None)] * 4,
    FOURTH: [{**answered(diff("1"), "tree 1"), "verdict": Verdict.INFRASTRUCTURE}] * 4,
}  # fmt: skip


class Given(SweBenchGrader):
    """Gives the verdicts of SAMPLES, with no container."""

    def check(self, problems: Sequence[Problem]) -> None: ...

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for problem, sample in pairs:
            said = SAMPLES[problem.id][sample.index]
            yield GradedSample(problem.id, sample.index, said["verdict"], answer=said["tree"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a graded set, and the sweep file that its dataset is in."""
    folder = tmp_path_factory.mktemp("predictions")
    clone = folder / "clones/pallets__flask"
    clone.mkdir(parents=True)
    commit = commit_files(clone, FILES)
    issues = written(folder / "issues.jsonl", [row(number, base_commit=commit) for number in (1, 2, 3, 4)])
    dataset = {"name": "swe_bench", "path": str(issues), "checkouts": str(folder / "clones")}
    (folder / "sweep.yaml").write_text(
        yaml.safe_dump({"dataset": dataset, "engine": {"name": "onnx", "model": "programs"}, "k": 4})
    )
    problems = SweBenchDataset.model_validate(dataset).load()
    samples = {
        issue: {
            index: Sample(issue, index, each["text"], tokens=10, logprob=each["logprob"])
            for index, each in enumerate(texts)
        }
        for issue, texts in SAMPLES.items()
    }
    identity = sample_identity("swe_bench-m", dataset="swe_bench", problems=problems_digest(problems))
    sweep = Sweep(
        grading=Grading(
            selection=Selection.of(problems, k=4),
            grader=Given(thinking_tags=("[T]", "[/T]")),
            samples=SampleSet(FsspecStore(str(folder / "runs")), identity),
            settings={"thinking_tags": ["[T]", "[/T]"]},
        ),
        template="question",
        sampling=Sampling(1.0, 1.0, 100, (), 0),
        budget=UniformConfig(),
    )
    for missing in sweep.missing_samples():
        sweep.draw(missing, RecordedEngine(InMemory(samples), "recorded by a test"))
    for pending in sweep.grading.pending_verdicts():
        sweep.grading.grade(pending, None)
    return folder


def written_by(folder: Path, name: str, *options: str) -> dict[str, str | None]:
    """The predictions that a command writes, as the importer reads them."""
    ended = monkeys("predictions", "swe-bench", "sweep.yaml", "-o", name, *options, cwd=folder)
    assert ended.code == 0, ended.err
    imported = {each.problem_id: each.text for each in SweBench().samples([folder / name], None)}
    (folder / name).unlink()
    return imported


@pytest.mark.parametrize("name", ["preds.json", "all_preds.jsonl"])
def test_predictions_of_a_vote_are_read_back_by_the_importer(folder: Path, name: str) -> None:
    found = written_by(folder, name, "--by", "majority")
    assert found.keys() == {FIRST, SECOND, THIRD}
    assert found[FIRST] == diff("3")
    assert str(found[SECOND]).endswith("\n-ONE = 2\n+ONE = 1\n")
    assert found[THIRD] == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--by", "{name: best_of, score: logprob_mean}"), diff("1")),
        (("--by", "majority", "--k", "1"), ""),
        (("--by", "majority", "--k", "2"), diff("3")),
        (("--by", "oracle", "--allow-oracle"), diff("1")),
        (("--by", "oracle", "--allow-oracle", "--k", "3"), ""),
    ],
    ids=["best_of", "first", "first two", "oracle", "oracle of wrong samples"],
)
def test_the_selector_and_k_decide_which_patch_is_written(
    folder: Path, options: tuple[str, ...], expected: str
) -> None:
    assert written_by(folder, "preds.json", *options)[FIRST] == expected


def test_predictions_have_the_fields_of_the_harness_and_say_how_they_were_chosen(folder: Path) -> None:
    ended = monkeys("predictions", "swe-bench", "sweep.yaml", "-o", "p.json", "--by", "majority", cwd=folder)
    document = json.loads((folder / "p.json").read_text())
    assert all(each.keys() == {"instance_id", "model_patch", "model_name_or_path"} for each in document.values())
    assert [each["instance_id"] for each in document.values()] == list(document)
    assert {each["model_name_or_path"] for each in document.values()} == {"swe-bench-m.majority.k4"}
    assert "wrote 3 predictions as swe-bench-m.majority.k4 to p.json; 1 of them are empty" in ended.out
    assert "1 of 4 issues have no graded sample" in ended.out
    assert "4 samples were lost to failures of the infrastructure" in ended.out
    options = ("--by", "majority", "--model-name", "mine", "--json")
    said = json.loads(monkeys("predictions", "swe-bench", "sweep.yaml", "-o", "p.jsonl", *options, cwd=folder).out)
    assert said["samples"] == {FIRST: 1, SECOND: 0, THIRD: None}
    lines = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
    assert [line["model_name_or_path"] for line in lines] == ["mine"] * 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "oracle"), "--by oracle: picks by the verdicts of the hidden tests"),
        (("--by", "best"), "'best' is unknown"),
        (("--by", "first_passing"), "first that passes needs whether each sample passed the public tests"),
        (("--by", "{name: best_of, score: reward}"), "there are scores logprob_mean, logprob_sum"),
        (("--by", "majority", "-o", "preds.csv"), "--output preds.csv: ends in neither .json"),
        (("--by", "majority", "--set", "dataset.path=absent.jsonl"), "absent.jsonl"),
        (("--by", "majority", "--set", "dataset.checkouts=null"), "was not drawn from the problems of swe_bench"),
    ],
    ids=["oracle", "unknown", "tests", "score", "suffix", "no file", "other problems"],
)
def test_what_cannot_be_chosen_is_one_line_and_writes_nothing(
    folder: Path, options: tuple[str, ...], said: str
) -> None:
    before = sorted(folder.iterdir())
    ended = monkeys("predictions", "swe-bench", "sweep.yaml", "-o", "preds.json", *options, cwd=folder)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1), ended
    assert said in ended.err
    assert sorted(folder.iterdir()) == before


def test_a_set_of_another_grader_is_refused(folder: Path, tmp_path: Path) -> None:
    fill(FsspecStore(str(tmp_path / "runs")), problems=2, k=2)
    ended = monkeys("predictions", "arithmetic", "-o", "preds.json", "--by", "majority", cwd=tmp_path)
    assert ended.code == 2
    assert "is graded by final_answer; predictions are patches that the grader swe_bench has graded" in ended.err
