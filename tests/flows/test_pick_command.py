import json
import re
from pathlib import Path

import pytest

from tests.flows.command import monkeys

FIXTURE = Path(__file__).parents[1] / "selection/reward_model.jsonl"


def test_pick_prints_a_table_with_each_way_of_picking_and_draws_it(tmp_path: Path) -> None:
    ended = monkeys("pick", str(FIXTURE), "-o", "pick.svg", cwd=tmp_path)
    assert ended.code == 0, ended.err
    for text in ("coverage", "majority", "best of k by pred_score", "vote weighted by pred_score", "modal ceiling"):
        assert text in ended.out
    coverage, delivered, gap = re.search(
        r"k = 8: (\d+\.\d)% of the problems have a correct sample; .* delivers (\d+\.\d)%: a gap of (\d+\.\d) points",
        ended.out,
    ).groups()  # type: ignore[union-attr]
    assert float(coverage) - float(delivered) == pytest.approx(float(gap))
    assert "have no answer: they have no vote" in ended.out
    assert (tmp_path / "pick.svg").read_text().startswith("<?xml")


def test_pick_prints_json_and_takes_ways_of_picking_and_k(tmp_path: Path) -> None:
    by = "{name: best_of, score: pred_score}"
    ended = monkeys("pick", str(FIXTURE), "--by", "majority", "--by", by, "--k", "3", "--json", cwd=tmp_path)
    document = json.loads(ended.out)
    assert [each["label"] for each in document["picked"]] == ["majority", "best of k by pred_score"]
    assert [point["k"] for point in document["coverage"]["table"]] == [3]
    point = document["picked"][0]["table"][0]
    assert point["low"] < point["low_samples"] < point["value"] < point["high_samples"] < point["high"]
    assert point["error"] == 0
    assert document["ceiling"]["low"] < document["ceiling"]["value"]
    assert "NaN" not in ended.out


def test_a_k_beyond_the_samples_is_a_forecast(tmp_path: Path) -> None:
    rows = [
        f"{problem},{'a' if sample % 3 == problem % 3 else sample % 2},{sample % 3 == problem % 3}".lower()
        for problem in range(12)
        for sample in range(12)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["problem,answer,correct", *rows, ""]))
    ended = monkeys("pick", "a.csv", "--k", "60", "-o", "pick.svg", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "forecast beyond the samples" in ended.out
    assert "k = 60" in ended.out
    assert "90% interval" in ended.out
    document = json.loads(monkeys("pick", "a.csv", "--k", "60", "--json", cwd=tmp_path).out)
    assert document["beyond"] == [60]
    for each in (document["coverage"], document["picked"][0]):
        assert each["forecast"][-1]["low"] <= each["forecast"][-1]["value"] <= each["forecast"][-1]["high"]


def test_answers_that_a_grader_calls_the_same_are_one_vote_and_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "problem,answer,correct\n1,0.5,true\n1,1/2,true\n1,7,false\n1,7,false\n1,7.5,false\n"
    )
    text, algebra = (
        json.loads(monkeys("pick", "a.csv", "--k", "5", "--json", *more, cwd=tmp_path).out)
        for more in ((), ("--grader", "math_tolerant"))
    )
    assert text["picked"][0]["table"][0]["value"] == 0
    assert algebra["picked"][0]["table"][0]["value"] == 0.5
    assert text["same_answers"] == {}
    assert algebra["same_answers"] == {"1": [["0.5", "1/2"]]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.jsonl",), "absent.jsonl: cannot be read"),
        (("absent",), "store: there is no folder "),
        (
            ("a.jsonl", "--verdicts", "x"),
            "--verdicts: names a verdict set of a stored set, but the answers are in files",
        ),
        (("a.jsonl", "--by", "oracle"), "--by oracle: selector.name: 'oracle' is unknown; one of best_of"),
        (("a.jsonl", "--by", "best_of"), "best of k by score needs the score 'score', which 1 of 1 problems lack"),
        (("a.jsonl", "--by", "{name: best_of, scor: x}"), "--by {name: best_of, scor: x}: selector.scor"),
        (("a.jsonl", "--by", "first_passing"), "needs whether each sample passed the public tests"),
        (
            ("a.jsonl", "--k", "21"),
            "k = 21 is out of reach: k must be between 1 and 20, 10 times the number of samples of problem '1'",
        ),
        (("a.jsonl", "-o", "a.gif"), "--output: a.gif: a figure's name ends in .svg, .pdf or .png"),
        (("a.jsonl", "-o", "absent/a.svg"), "--output: absent/a.svg: cannot be written"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    rows = [{"problem": 1, "answer": "x", "correct": True}, {"problem": 1, "answer": "y", "correct": False}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ended = monkeys("pick", *arguments, cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines()), ended.out) == (2, 1, "")
    assert message in ended.err
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_hostile_names_are_shown_literally(tmp_path: Path) -> None:
    row = {"problem": "[red]\u001b[31m", "answer": "\u001b]0;x\u0007", "correct": True, "[bold]$s$\u001b": 1.0}
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({**row, "sample": index}) for index in range(2)))
    ended = monkeys("pick", "a.jsonl", "--score-column", "[bold]$s$\u001b", "-o", "a.png", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "best of k by [bold]$s$" in ended.out
    assert "\u001b" not in ended.out
