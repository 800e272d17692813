import re
import xml.etree.ElementTree as ET

import pytest

from tasks.report.comparison.figures import draw
from tasks.report.comparison.markdown import markdown
from tasks.report.comparison.page import render
from tasks.report.comparison.phrases import findings, points
from tasks.report.comparison.tables import curves_csv, differences_csv
from tasks.report.cost.figures import draw as draw_costs
from tasks.report.cost.phrases import amount, headline
from tasks.report.cost.phrases import findings as cost_findings

from .browser import Page
from .comparisons import SETS, comparison_of, costs_of
from .sweeps import HOSTILE
from .test_page import read


@pytest.mark.parametrize("name", SETS)
def test_the_page_of_every_comparison_is_well_formed_and_loads_nothing(name):
    comparison, costs = comparison_of(name), costs_of(name)
    figures = () if isinstance(costs, str) else (draw_costs(costs),)
    tree = read(render(comparison, "sets: []\n", figures, costs))
    text = " ".join(" ".join(tree.text).split())
    assert all(address.startswith(("#", "data:")) for address in tree.addresses)
    assert tree.scripts == 1
    assert "nan" not in text.lower().split()
    assert ("Differences" in text) == comparison.paired
    assert markdown(comparison)
    assert "<script>" not in markdown(comparison, costs)


@pytest.mark.parametrize(
    "name", [name if name in {"two", "hostile"} else pytest.param(name, marks=pytest.mark.slow) for name in SETS]
)
def test_the_figures_of_every_comparison_can_be_drawn(name):
    for figure in draw(comparison_of(name)):
        ET.fromstring(figure.svg)
        assert figure.pdf.startswith(b"%PDF")


def test_the_page_shows_the_numbers():
    comparison = comparison_of("crossing")
    text = " ".join(" ".join(read(render(comparison, "sets: []\n")).text).split())
    assert comparison.headline in text
    for each in comparison.sets:
        for point in each.summary.table:
            assert f"{point.coverage:.1%}" in text
    for pair in comparison.pairs:
        for at in pair.differences:
            assert f"{points(at.difference)} {points(at.low)} to {points(at.high)}" in text
    for finding in findings(comparison):
        assert finding in text
    assert "falls behind small at k =" in text


def test_the_page_shows_the_sets_by_cost_or_says_why_not():
    comparison, costs = comparison_of("two"), costs_of("two")
    assert not isinstance(costs, str)
    text = " ".join(" ".join(read(render(comparison, "", (draw_costs(costs),), costs)).text).split())
    for sentence in (headline(costs), *cost_findings(costs), *costs.notes):
        assert sentence in text
    for each in costs.sets:
        for row in each.table:
            assert f"{amount(row.cost, costs.measure)} {row.accuracy:.1%}" in text
    assert "Not compared by cost: a reason." in " ".join(read(render(comparison, "", (), "cost: a reason")).text)
    assert headline(costs) in markdown(comparison, costs)


def test_downloads_of_one_place_differ_in_what_they_are_called():
    comparison, costs = comparison_of("two"), costs_of("two")
    assert not isinstance(costs, str)
    text = render(comparison, "", (draw_costs(costs),), costs)
    places = [
        re.findall(r">([^<]+)</a>", place) for place in re.findall(r'<p class="downloads">(.*?)</p>', text, re.DOTALL)
    ]
    assert all(len(set(labels)) == len(labels) for labels in places), places
    assert [*places[-1]] == ["CSV of the frontier", "CSV of costs", "CSV of mixtures", "SVG", "PDF"]


def test_the_csv_tables_have_every_number():
    comparison = comparison_of("two")
    curves = curves_csv(comparison).splitlines()
    assert curves[0] == "set,k,coverage,low,high,kind"
    assert {line.split(",")[0] for line in curves[1:]} == {"small", "large"}
    assert {line.rpartition(",")[2] for line in curves[1:]} == {"measured", "forecast"}
    (pair,) = comparison.pairs
    rows = [line.split(",") for line in differences_csv(comparison).splitlines()[1:]]
    assert [(row[0], row[1], int(row[2]), float(row[3])) for row in rows] == [
        ("large", "small", each.k, each.difference) for each in pair.differences
    ]


def show(page: Page, tmp_path, name: str) -> None:
    page.requests.clear()
    page.complaints.clear()
    comparison = comparison_of(name)
    file = tmp_path / "comparison.html"
    costs, figures = costs_of(name), draw(comparison)
    if not isinstance(costs, str):
        figures = (*figures, draw_costs(costs))
    file.write_text(render(comparison, f"note: '{HOSTILE}'\n", figures, costs), encoding="utf-8")
    page.open(file)


@pytest.mark.parametrize("name", SETS)
def test_the_page_fetches_nothing_logs_no_errors_and_runs_no_foreign_script(page, tmp_path, name):
    show(page, tmp_path, name)
    fetched = [address for address in page.requests if not address.startswith("data:")]
    assert fetched == [(tmp_path / "comparison.html").as_uri()]
    assert page.complaints == []
    assert page.evaluate("window.stolen") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hovering_shows_the_values_of_all_sets_and_sets_can_be_toggled(page, tmp_path):
    show(page, tmp_path, "crossing")
    x, y = page.middle("#chart")
    page.mouse("mouseMoved", x, y)
    tip = page.evaluate("document.querySelector('#tip').textContent")
    assert tip.startswith("k = ")
    assert "small: " in tip
    assert "steady: " in tip
    lines = "document.querySelectorAll('#chart path.measured').length"
    crossings = "document.querySelectorAll('#chart line.crossing').length"
    before = page.evaluate(crossings)
    assert page.evaluate(lines) == 3
    page.click('[data-plot="coverage"] [data-series="1"]')
    assert page.evaluate(lines) == 2
    assert page.evaluate(crossings) < before
    page.click('[data-plot="coverage"] [data-series="1"]')
    assert page.evaluate(crossings) == before
    assert page.evaluate("document.querySelector('#chart path.forecast-line')") is None
    page.click('[data-plot="coverage"] [data-layer="forecast"]')
    assert page.evaluate("document.querySelectorAll('#chart path.forecast-line').length") == 3


def test_the_keyboard_moves_along_the_differences(page, tmp_path):
    show(page, tmp_path, "two")
    page.evaluate("document.querySelector('[data-plot=differences] .chart').focus()")
    page.press("End")
    said = page.evaluate("document.querySelector('[data-plot=differences] .reading').textContent")
    assert said.startswith("k = 500: ")
    assert "points" in said
    assert "95% interval" in said


def test_the_page_fits_a_phone_without_scrolling_sideways(page, tmp_path):
    page.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    try:
        show(page, tmp_path, "crossing")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")
