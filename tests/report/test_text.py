import csv
import io

import pytest

from tasks.report.sweep.markdown import markdown
from tasks.report.sweep.pass_rates import rate_bins
from tasks.report.sweep.tables import coverage_csv, problems_csv, verdicts_csv
from tasks.scaling.summary import ProblemCount

from .sweeps import COUNTS, HOSTILE, summary_of


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_coverage_csv_distinguishes_forecast_from_measured():
    summary = summary_of("usual")
    found = rows(coverage_csv(summary))
    measured = [row for row in found if row["kind"] == "measured"]
    forecast = [row for row in found if row["kind"] == "forecast"]
    assert [int(row["k"]) for row in measured] == sorted({p.k for p in (*summary.curve, *summary.table)})
    assert float(measured[-1]["coverage"]) == summary.table[-1].coverage
    assert min(int(row["k"]) for row in forecast) > 100
    assert len({row["k"] for row in found}) == len(found)


def test_problems_csv_has_every_count():
    summary = summary_of("hostile names")
    found = rows(problems_csv(summary))
    assert [(row["problem"], int(row["samples"]), int(row["correct"])) for row in found] == [
        (problem.problem_id, problem.n, problem.c) for problem in summary.problems
    ]
    assert rows(verdicts_csv(summary)) == [
        {"verdict": "correct", "samples": "3"},
        {"verdict": "infrastructure", "samples": "2"},
        {"verdict": "wrong", "samples": "37"},
    ]


@pytest.mark.parametrize("name", COUNTS)
def test_the_markdown_of_every_sweep_has_headline_table_and_verdicts(name):
    summary = summary_of(name)
    text = markdown(summary, f"title | {HOSTILE}")
    assert summary.headline in text
    assert "<script>" not in text
    assert "nan" not in text.lower().split()
    for point in summary.table:
        assert f"| {point.k:,} | {point.coverage:.1%} |" in text or point.coverage < 0.01


def test_rate_bins_count_each_graded_problem_once():
    problems = [ProblemCount(str(c), 100, c) for c in (0, 0, 1, 2, 3, 9, 10, 29, 30, 99, 100)]
    bins = rate_bins([*problems, ProblemCount("ungraded", 0, 0)])
    assert [(item.label, item.count) for item in bins] == [
        ("0", 2), ("1%–3%", 2), ("3%–10%", 2), ("10%–30%", 2), ("30%–100%", 2), ("100%", 1),
    ]  # fmt: skip
