"""`monkeys compare --truth`: imperfect verifiers against one that is taken for the truth."""

import csv
import json
import random
from pathlib import Path

import pytest

from flows.setup.verifiers import from_store
from tasks.errors import UserError
from tasks.store.fsspec_store import FsspecStore
from tests.flows.command import monkeys
from tests.store.stored import LastLineGrader, draw, fill, grade, sweep_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table in which the public tests let 5 % of wrong samples pass, next to a verdict and a score."""
    chance = random.Random(1)
    rows = []
    for problem in range(20):
        rate = chance.betavariate(0.5, 2)
        for sample in range(20):
            correct = chance.random() < rate
            passed, rated = (correct if chance.random() < right else not correct for right in (0.95, 0.75))
            rows.append(
                {"problem": str(problem), "sample": sample, "answer": "", "correct": correct, "passed": passed}
                | {"rated": int(rated), "reward": correct + chance.gauss(0, 1.5)}
            )
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_a_table_shows_precision_the_best_k_and_what_verifiers_give_together(folder: Path) -> None:
    verifiers = ("--verifier", "passed", "--verifier", "rated", "--verifier", "reward")
    ended = monkeys("compare", "a.jsonl", "--truth", "correct", *verifiers, "--combine", "-o", "out", cwd=folder)
    assert ended.code == 0, ended.err
    for text in ("passed: precision", "rated: precision", "the gain is largest at k =", "log-odds of a correct sample"):
        assert text in ended.out
    assert {path.name for path in (folder / "out").iterdir()} == {"verifiers.svg", "verifiers.pdf", "verifiers.csv"}


def test_columns_of_0_and_1_are_verifiers_by_default(folder: Path) -> None:
    with (folder / "a.jsonl").open() as file:
        table = [json.loads(line) for line in file]
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*table[0], "temperature", "note"])
        writer.writeheader()
        writer.writerows(
            {**row, "rated": bool(row["rated"]), "temperature": 1, "note": row["rated"] or ""} for row in table
        )
    for name in ("a.jsonl", "a.csv"):
        document = json.loads(monkeys("compare", name, "--truth", "correct", "--json", cwd=folder).out)
        assert [each["label"] for each in document["verifiers"]] == ["rated", "passed"]
        assert document["notes"] == ["Columns of 0 and 1 are taken for verdicts: rated."]
    rated, passed = (each["rates"]["precision"]["value"] for each in document["verifiers"])
    assert rated < passed


def test_fields_are_in_json_and_always_submits_something(folder: Path) -> None:
    arguments = ("compare", "a.jsonl", "--truth", "correct", "--verifier", "passed", "--penalty", "3", "--json")
    document = json.loads(monkeys(*arguments, cwd=folder).out)
    (verifier,) = document["verifiers"]
    assert (verifier["label"], document["penalty"], document["combined"]) == ("passed", 3.0, None)
    last = verifier["table"][-1]
    assert last["gain"] == pytest.approx(last["right"] - 3 * last["wrong"])
    assert verifier["best"]["k"] < last["k"] == 20
    assert last["gain"] < verifier["best"]["gain"]
    always = json.loads(monkeys(*arguments, "--always", cwd=folder).out)["verifiers"][0]
    assert {point["nothing"] for point in always["table"]} == {0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.jsonl", "--truth", "passed"), "in a table the truth is the column `correct`"),
        (("a.jsonl", "--truth", "correct", "--verifier", "absent"), "has no absent"),
        (("a.jsonl", "--truth", "correct", "--verifier", "reward"), "reward: scores accept no sample by themselves"),
        (
            ("a.jsonl", "--truth", "correct", "--verifier", "passed", "--combine"),
            "there is only one verifier to combine (passed)",
        ),
        (("a.jsonl", "--truth", "correct", "--verdicts", "x"), "--verdicts: with --truth"),
        (("a.jsonl", "b", "--truth", "x"), "--truth: give one stored set"),
        (("a.jsonl", "b.csv", "--penalty", "2"), "--penalty: needs --truth VERDICTS"),
        (("a.jsonl", "b.csv", "--combine"), "--combine: needs --truth VERDICTS"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    ended = monkeys("compare", *arguments, "-o", "out", cwd=folder)
    assert (ended.code, len(ended.err.splitlines()), ended.out) == (2, 1, "")
    assert message in ended.err
    assert [each.name for each in folder.iterdir()] == ["a.jsonl"]


def test_verdict_sets_of_a_store_are_paired_sample_by_sample(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path / "runs"))
    fill(store, problems=4, k=12)
    fill(store, problems=4, k=12, grader=LastLineGrader(broken=5))
    read = from_store(str(tmp_path / "runs"), "arith", "final", [])
    assert read.notes == ("4 samples lack the verdict of one of the verifiers: they are left out.",)
    for problem in read.problems:
        (accepted,) = problem.verdicts.values()
        assert list(problem.verdicts) == ["last_line v2"]
        assert len(problem.correct) == 11
        assert not (accepted & ~problem.correct).any(), "the last line alone is stricter"
        assert accepted.sum() < problem.correct.sum()
    reversed_ = from_store(str(tmp_path / "runs"), "arith", "last", [])
    assert [each.correct.tolist() for each in reversed_.problems] == [
        next(iter(each.verdicts.values())).tolist() for each in read.problems
    ]


def test_one_verdict_set_has_nothing_to_compare_with_and_none_is_compared_with_itself(tmp_path: Path) -> None:
    fill(FsspecStore(str(tmp_path / "runs")), problems=2, k=4)
    with pytest.raises(UserError, match="has no other verdicts than final-answer"):
        from_store(str(tmp_path / "runs"), "arith", "final", [])
    with pytest.raises(UserError, match="is named twice, or is the truth"):
        from_store(str(tmp_path / "runs"), "arith", "final", ["final"])


def test_a_verdict_set_that_is_far_from_complete_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    """Samples that lack one of the verdicts are left out for all: one such set would leave little of the others."""
    url = str(tmp_path / "runs")
    store = FsspecStore(url)
    fill(store, problems=4, k=10)
    more = sweep_of(store, problems=4, k=30, grader=LastLineGrader())
    draw(more)
    grade(more)
    with pytest.raises(UserError, match=r"no verdict set is complete enough to compare: .* 67% of the samples lack"):
        from_store(url, "arith", "last", [])
    assert sum(len(each.correct) for each in from_store(url, "arith", "last", ["final"]).problems) == 40
    grade(sweep_of(store, problems=4, k=30, grader=Lenient()))
    read = from_store(url, "arith", "last", [])
    assert list(read.problems[0].verdicts) == ["lenient v2"]
    assert sum(len(each.correct) for each in read.problems) == 120
    assert len(read.notes) == 1
    assert read.notes[0].startswith("The verdict set final-answer-v2-")
    assert read.notes[0].endswith("(final_answer v2) is left out: 67% of the samples lack its verdict.")


def test_verdict_sets_without_a_common_sample_are_told(tmp_path: Path) -> None:
    url = str(tmp_path / "runs")
    store = FsspecStore(url)
    fill(store, problems=2, k=10)
    fill(store, problems=2, k=10, grader=LastLineGrader())
    for key in store.keys("verdicts"):
        if "last-line" in key and key.endswith(".parquet"):
            store.delete(key)
    with pytest.raises(UserError, match=r"no sample has a verdict in each of final-answer-v2-\S+, last-line-v2-"):
        from_store(url, "arith", "final", ["last"])


class Lenient(LastLineGrader):
    """As the last line, under another name."""

    name = "lenient"
