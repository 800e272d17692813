"""`monkeys cost` as a person runs it, on tables and on a store."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.command_line.cli import app
from tasks.errors import UserError
from tests.flows.command import monkeys

TODAY = "2026-11-01"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rates = np.random.default_rng(1).beta(0.4, 2, 60)
    for name, scale, n, tokens, dollars in (("small", 0.5, 100, 50, 0.01), ("large", 1.0, 20, 400, 0.1)):
        correct = np.random.default_rng(len(name)).binomial(n, scale * rates)
        rows = [f"q{i},{n},{c},{n * 100},{n * tokens},{n * dollars:g}" for i, c in enumerate(correct)]
        (tmp_path / f"{name}.csv").write_text(
            "\n".join(["problem,samples,correct,prompt_tokens,tokens,dollars", *rows]) + "\n"
        )
        counted = [",".join(row.split(",")[:5]) for row in rows]
        (tmp_path / f"{name}-tokens.csv").write_text(
            "\n".join(["problem,samples,correct,prompt_tokens,tokens", *counted]) + "\n"
        )
    (tmp_path / "counts.csv").write_text("problem,samples,correct\n" + "".join(f"q{i},9,2\n" for i in range(60)))
    return tmp_path


def test_tables_are_compared_and_the_frontier_is_written(folder: Path) -> None:
    ended = monkeys("cost", "small.csv", "large.csv", "--reach", "0.5", "--budget", "30", "-o", "out", cwd=folder)
    assert (ended.code, ended.err) == (0, "")
    assert "dollars for all 60 problems" in ended.out
    assert "The cheapest way to 50% is " in ended.out
    assert "The best use of $30.00 is " in ended.out
    assert "samples of small match 1 sample of large" in ended.out
    assert {path.name for path in (folder / "out").iterdir()} == {
        "frontier.svg", "frontier.pdf", "frontier.csv", "costs.csv", "mixtures.csv",
    }  # fmt: skip


def test_the_json_has_the_tables_and_the_answers(folder: Path) -> None:
    ended = monkeys("cost", "small.csv", "large.csv", "--budget", "30", "--json", cwd=folder)
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["measure"] == "dollars"
    assert [each["label"] for each in document["sets"]] == ["small", "large"]
    by_k = {row["k"]: row for row in document["sets"][0]["table"]}
    assert by_k[10]["cost"] == pytest.approx(60 * 10 * 0.01)
    assert by_k[10]["per_solved"] == pytest.approx(6 / (60 * by_k[10]["accuracy"]))
    assert document["budget"]["option"]["cost"] <= 30.001
    (part,) = document["budget"]["option"]["parts"]
    assert set(part) == {"label", "k"}
    assert document["reach"] is None
    assert document["files"] == []


def test_a_price_gives_dollars_from_tokens(folder: Path) -> None:
    (folder / "prices.yaml").write_text(
        "prices:\n"
        "  - {model: small-tokens, prompt: 1, completion: 10, batch_discount: 0.5, date: 2020-02-03}\n"
        f"  - {{model: large-tokens, prompt: 2, completion: 20, batch_discount: 0.5, date: {TODAY}}}\n"
    )
    sets = ("small-tokens.csv", "large-tokens.csv")
    ended = monkeys("cost", *sets, "--prices", "prices.yaml", "--json", cwd=folder)
    assert ended.code == 0
    document = json.loads(ended.out)
    # 100 prompt tokens and 50 of completion each.
    assert document["sets"][0]["table"][0]["cost"] == pytest.approx(60 * (100 * 1 + 50 * 10) / 1e6)
    (old,) = [note for note in document["notes"] if "year ago" in note]
    assert old.startswith("The price of small-tokens is from 2020-02-03")
    once = monkeys("cost", *sets, "--prices", "prices.yaml", "--prompts", "once", "--batch", "--json", cwd=folder)
    row = {each["k"]: each for each in json.loads(once.out)["sets"][0]["table"]}[10]
    assert row["cost"] == pytest.approx(60 * (100 * 1 + 10 * 50 * 10) / 1e6 / 2)


def test_tokens_are_counted_where_there_is_no_price(folder: Path) -> None:
    document = json.loads(monkeys("cost", "small-tokens.csv", "--json", cwd=folder).out)
    assert document["measure"] == "tokens"
    assert document["sets"][0]["table"][0]["cost"] == 60 * 150
    assert any("there is no price for small-tokens" in note for note in document["notes"])


def test_sets_are_cut_to_the_problems_that_they_share(folder: Path) -> None:
    rows = (folder / "large.csv").read_text().splitlines()
    (folder / "part.csv").write_text("\n".join([rows[0], *reversed(rows[11:])]) + "\n")
    document = json.loads(monkeys("cost", "small.csv", "part.csv", "--json", cwd=folder).out)
    assert document["problems"] == 50
    assert document["sets"][0]["table"][0]["cost"] == pytest.approx(50 * 0.01)
    assert "Compared on the 50 problems that all sets share; small has 60." in document["notes"]


def test_an_error_is_one_line_and_nothing_is_written(folder: Path) -> None:
    ended = monkeys("cost", "small-tokens.csv", "--in", "dollars", "-o", "out", cwd=folder)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert ended.err.startswith("monkeys: prices: there is no price for small-tokens")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("small-tokens.csv", "--in", "dollars"),
            "prices: there is no price for small-tokens (looked for as small",
        ),
        (("small-tokens.csv", "--prices", "empty.yaml"), "prices: there is no price for small-tokens"),
        (("small-tokens.csv", "--prices", "absent.yaml"), "--prices absent.yaml: cannot be read"),
        (("small-tokens.csv", "--prices", "small.csv"), "--prices small.csv: is not a table of prices"),
        (("counts.csv",), "counts has no completion tokens for some sample"),
        (("small.csv", "counts.csv", "--in", "seconds"), "small has no seconds for some sample"),
        (("small.csv", "--in", "euros"), "cost: measure: input should be 'dollars', 'flops', 'tokens' or 'seconds'"),
        (("small.csv", "--in", "flops"), "give its config.json with --config small=FILE"),
        (("small.csv", "--in", "flops", "--config", "small=config.json"), "config.json: has no hidden_size"),
        (("small.csv", "--in", "flops", "--config", "small"), "--config small: not of the form --config SET=FILE"),
        (("small.csv", "--in", "flops", "--config", "small=absent.json"), "absent.json: cannot be read"),
        (("small.csv", "--in", "flops", "--config", "small=small.csv"), "small.csv: is not JSON"),
        (("small.csv", "--parameters", "small=many"), "--parameters: 'many' is not a number of parameters"),
        (("small.csv", "other.csv"), "small and other share no problem; give sets of the same problems"),
        (("small.csv", "small.csv"), "'small.csv' is given twice"),
        (("small.csv", "--reach", "80"), "cost: reach: input should be less than or equal to 1"),
        (("small.csv", "--budget", "0"), "cost: budget: input should be greater than 0"),
        (("small.csv", "absent.csv"), "absent.csv: cannot be read"),
    ],
)
def test_what_cannot_be_counted_is_told_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "empty.yaml").write_text("prices: []\n")
    (folder / "config.json").write_text('{"num_hidden_layers": 2}')
    (folder / "other.csv").write_text("problem,samples,correct,dollars\nz0,9,2,1\nz1,9,2,1\n")
    monkeypatch.chdir(folder)
    # In this process: the command, but for the last line of `main`, which prints the message.
    ended = CliRunner().invoke(app, ["cost", *arguments, "-o", "out"])
    assert isinstance(ended.exception, UserError)
    assert message in str(ended.exception)
    assert "\n" not in str(ended.exception)
    assert not (folder / "out").exists()


@pytest.fixture
def answer_tables(tmp_path: Path) -> Path:
    """Two tables of answers: of one model whose samples are cheap, and of one whose samples are dear."""
    generator = np.random.default_rng(2)
    for name, rate, tokens in (("cheap", 0.5, 10), ("dear", 0.8, 100)):
        rows = [
            {"problem": f"q{problem}", "answer": "4" if right else str(5 + sample % 3), "correct": bool(right),
             "tokens": tokens, "sample": sample}
            for problem in range(12)
            for sample, right in enumerate(generator.random(20) < rate)
        ]  # fmt: skip
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def cost_json(*arguments: str) -> dict[str, Any]:
    ended = CliRunner().invoke(app, ["cost", *arguments, "--json"])
    assert ended.exit_code == 0, ended.output
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_tables_of_answers_are_compared_by_coverage_and_by_what_is_delivered(answer_tables: Path) -> None:
    files = [str(answer_tables / name) for name in ("cheap.jsonl", "dear.jsonl")]
    coverage = cost_json(*files)
    assert coverage["measure"] == "tokens"
    assert [each["table"][-1]["cost"] for each in coverage["sets"]] == [12 * 20 * 10, 12 * 20 * 100]
    assert "cheap: prompt tokens are not in its table, and not counted." in coverage["notes"]
    delivered = cost_json(*files, "--by", "majority")
    assert delivered["delivered_by"] == "majority"
    for by_coverage, by_majority in zip(coverage["sets"], delivered["sets"], strict=True):
        assert by_majority["table"][0]["accuracy"] == pytest.approx(by_coverage["table"][0]["accuracy"])
        assert by_majority["table"][1]["accuracy"] < by_coverage["table"][1]["accuracy"]


@pytest.mark.parametrize("by", ["best_of", "first_passing"])
def test_a_way_of_picking_that_a_table_of_answers_lacks_is_one_line(by: str, answer_tables: Path) -> None:
    with pytest.raises(UserError, match=r"score|passed the public tests") as raised:
        CliRunner().invoke(app, ["cost", str(answer_tables / "cheap.jsonl"), "--by", by], catch_exceptions=False)
    assert "\n" not in str(raised.value)
