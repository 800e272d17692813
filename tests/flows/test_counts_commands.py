import json
from pathlib import Path

import pytest

from tests.flows.command import monkeys

COUNTS = "problem,samples,correct\na,100,3\nb,100,0\nc,100,50\nd,100,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counts.csv").write_text(COUNTS)
    return tmp_path


def test_curve_prints_json_or_a_table(folder: Path) -> None:
    document = json.loads(monkeys("curve", "counts.csv", "--json", cwd=folder).out)
    assert document["problems"] == 4
    assert [point["k"] for point in document["curve"]] == [1, 2, 5, 10, 20, 50, 100]
    assert document["curve"][0]["coverage"] == pytest.approx(0.135)
    assert document["curve"][-1]["coverage"] == pytest.approx(0.75)
    assert set(document["power_law"]) == {"a", "b", "max_abs_error", "mean_abs_error"}
    table = monkeys("curve", "counts.csv", cwd=folder).out
    assert "13.50%" in table
    assert f"a = {document['power_law']['a']:.3f}" in table
    assert "fitted to 10 random samples per problem" in table
    assert "beta-binomial" in table


def test_forecast_prints_json_or_a_line(folder: Path) -> None:
    document = json.loads(monkeys("forecast", "counts.csv", "--k", "1000", "--json", cwd=folder).out)
    assert list(document) == ["k", "coverage", "low50", "high50", "low90", "high90", "method", "notes"]
    assert 0.7 <= document["low90"] <= document["low50"] <= document["coverage"]
    assert document["coverage"] <= document["high50"] <= document["high90"] <= 1
    line = monkeys("forecast", "counts.csv", "--k", "1000", cwd=folder).out
    assert f"k = 1,000: coverage {document['coverage']:.2%}" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("problem,samples,correct\na,3,4\n", "line 2: 4 correct of 3 samples"),
        ("problem,samples\na,3\n", "no column 'correct'"),
        ("problem,samples,correct\n", "no row"),
        ("problem,samples,correct\na,3,x\n", "line 2: correct is 'x'"),
        ("problem,samples,correct\na,99999999999999999999,1\n", "the maximum per problem is 10,000,000"),
        ("problem,samples,correct\na,0,0\n", "no problem has a"),
    ],
)
def test_bad_counts_are_reported_in_one_line(folder: Path, text: str, message: str) -> None:
    (folder / "counts.csv").write_text(text)
    for command in (("curve", "counts.csv"), ("forecast", "counts.csv", "--k", "9")):
        ended = monkeys(*command, cwd=folder)
        assert (ended.code, len(ended.err.splitlines())) == (2, 1)
        assert message in ended.err


def test_an_impossible_k_is_reported_in_one_line(folder: Path) -> None:
    for k in ("0", "-3", "99999999999999999999"):
        ended = monkeys("forecast", "counts.csv", "--k", k, cwd=folder)
        assert (ended.code, ended.err) == (2, "monkeys: forecast: k must be between 1 and 10^15\n")
