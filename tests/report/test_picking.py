"""The section on picking an answer: of the page, of Markdown, of files, and of the figure."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tasks.report.picking import page as section
from tasks.report.picking.figures import draw
from tasks.report.picking.phrases import gap_formula, gap_sentence, headlines
from tasks.report.picking.tables import forecast_csv, picking_csv, table_rows
from tasks.report.sweep.markdown import markdown
from tasks.report.sweep.page import render

from .browser import Page
from .pickings import PICKINGS, picking_of
from .sweeps import HOSTILE, report_of, summary_of
from .test_page import read


def page_with(picking) -> str:
    report = replace(report_of("k = 1"), picking=picking)
    return render(report, () if picking is None or isinstance(picking, str) else (draw(picking.summary),))


def text_of(page: str) -> str:
    return " ".join(" ".join(read(page).text).split())


@pytest.mark.parametrize("name", PICKINGS)
def test_the_section_is_well_formed_and_loads_nothing(name):
    page = page_with(picking_of(name))
    tree = read(page)
    assert tree.scripts == 1
    assert all(address.startswith(("#", "data:")) for address in tree.addresses)
    text = text_of(page)
    assert "Picking an answer" in text
    assert "nan" not in text.lower().split()
    assert HOSTILE not in page


def test_the_section_shows_every_number_of_the_table_and_names_the_gap():
    picking = picking_of("usual")
    summary, text = picking.summary, text_of(page_with(picking))
    for each in (summary.coverage, *summary.picked):
        cells = " ".join(f"{100 * point.value:.1f}%" for point in each.table)
        last = each.table[-1]
        low, high, low_samples, high_samples = (
            f"{100 * (end or 0.0):.1f}" for end in (last.low, last.high, last.low_samples, last.high_samples)
        )
        assert f"{each.label} {cells} {low} – {high} {low_samples} – {high_samples}" in text
    assert f"The gap at k = 20: {gap_formula(summary)}" in text
    assert "modal ceiling" in text
    for note in summary.notes:
        assert note in text


def test_forecasts_are_in_a_table_a_file_and_the_plot_and_said_not_to_be_measured():
    picking = picking_of("forecast")
    summary, text = picking.summary, text_of(page_with(picking))
    rows = list(csv.DictReader(io.StringIO(forecast_csv(summary))))
    forecast = [each for each in (summary.coverage, *summary.picked) if each.forecast]
    assert [each.label for each in forecast][:2] == ["coverage", "majority"]
    for each in forecast:
        last = each.forecast[-1]
        assert f"{each.label} {100 * last.value:.1f}% {100 * last.low:.1f} – {100 * last.high:.1f}" in text
        assert {"way": each.label, "k": "200", "accuracy": f"{last.value:.6g}"}.items() <= {
            name: f"{float(cell):.6g}" if name == "accuracy" else cell
            for name, cell in next(row for row in rows if (row["way"], row["k"]) == (each.label, "200")).items()
        }.items()
    assert "Forecast, not measured" in text
    assert "Download CSV CSV of forecasts SVG PDF" in text
    series = (section.plot(picking) or {})["series"]
    assert [bool(each["forecast"]) for each in series] == [
        bool(each.forecast) for each in (summary.coverage, *summary.picked)
    ]
    assert "Forecast, not measured" not in text_of(page_with(picking_of("usual")))


@pytest.mark.parametrize("name", PICKINGS)
def test_the_gap_is_the_difference_of_the_shares_that_are_shown(name):
    summary = picking_of(name).summary
    there, delivered, gap = re.fullmatch(
        r"coverage (\d+\.\d)% − .* (\d+\.\d)% = (−?\d+\.\d) points", gap_formula(summary) or "", flags=re.DOTALL
    ).groups()  # type: ignore[union-attr]
    assert float(there) - float(delivered) == pytest.approx(float(gap.replace("−", "-")))
    assert max(each.table[-1].value for each in summary.picked) == pytest.approx(float(delivered) / 100, abs=5.1e-4)
    assert f"a gap of {gap} points." in (gap_sentence(summary) or "")


def test_without_answers_there_is_no_vote_and_no_ceiling_and_the_page_says_why():
    picking = picking_of("no answers")
    text = text_of(page_with(picking))
    assert "Not shown: votes (a reason)." in text
    assert "majority" not in text
    assert "modal ceiling" not in text
    assert "limit" not in (section.plot(picking) or {})


def test_a_reason_is_shown_instead_of_a_plot_and_nothing_where_there_is_nothing_to_say():
    page = page_with(f"a reason {HOSTILE}")
    assert f"a reason {HOSTILE}" in text_of(page)
    assert HOSTILE not in page
    assert 'data-plot="picking"' not in page
    without = page_with(None)
    assert "Picking" not in text_of(without)


def test_unequal_numbers_of_samples_end_the_curves_at_the_smallest():
    text = text_of(page_with(picking_of("unequal n")))
    assert "Problems have 20 to 41 samples: curves end at the smallest n." in text


def test_curves_by_what_drawing_gives_are_off_at_first_unless_there_are_no_others():
    picking = picking_of("usual")
    values = section.section(picking, None) or {}
    off = {way["label"] for way in values["ways"] if not way["shown"]}
    best, _ = picking.summary.gap or (picking.summary.coverage, 0.0)
    assert off == picking.secondary - {best.label}
    only = replace(picking, secondary=frozenset(each.label for each in picking.summary.picked))
    assert all(way["shown"] for way in (section.section(only, None) or {})["ways"])


def test_headlines_are_one_line_for_each_way_that_drawing_does_not_give_and_the_best():
    picking = picking_of("hostile names")
    lines = headlines(picking)
    best, _ = picking.summary.gap or (picking.summary.coverage, 0.0)
    shown = [each.label for each in picking.summary.picked if each.label not in picking.secondary or each is best]
    assert [line.rpartition(", k = 20: ")[0] for line in lines] == shown
    assert lines[0].startswith("majority, k = 20: ")


@pytest.mark.parametrize("name", PICKINGS)
def test_the_figure_the_csv_and_the_markdown_have_every_way(name):
    picking = picking_of(name)
    summary = picking.summary
    figure = draw(summary)
    ET.fromstring(figure.svg)
    assert figure.pdf.startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO(picking_csv(summary))))
    assert len(rows) == sum(len(each.curve) for each in (summary.coverage, *summary.picked))
    assert {row["way"] for row in rows} == {"coverage", *(each.label for each in summary.picked)}
    text = markdown(summary_of("k = 1"), "title", picking)
    assert "<script>" not in text
    assert len(table_rows(summary)) == 1 + len(summary.picked)
    for point in summary.picked[0].table:
        assert f"| {100 * point.value:.1f}% |" in text


def show(page: Page, tmp_path, name: str) -> None:
    page.requests.clear()
    page.complaints.clear()
    file = tmp_path / "report.html"
    file.write_text(page_with(picking_of(name)), encoding="utf-8")
    page.open(file)


LABELS = "[...document.querySelectorAll('[data-plot=picking] .chart text')].map((e) => e.textContent)"


@pytest.mark.parametrize("name", PICKINGS)
def test_the_page_fetches_nothing_logs_no_errors_and_runs_no_foreign_script(page, tmp_path, name):
    show(page, tmp_path, name)
    assert [each for each in page.requests if not each.startswith("data:")] == [(tmp_path / "report.html").as_uri()]
    assert page.complaints == []
    assert page.evaluate("window.stolen") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_plot_draws_the_curves_the_gap_and_the_ceiling_and_curves_can_be_toggled(page, tmp_path):
    show(page, tmp_path, "usual")
    labels = page.evaluate(LABELS)
    for each in ("coverage", "majority", "best of k by reward", "vote weighted by reward", "modal ceiling"):
        assert each in labels
    assert "best of k by logprob_sum" not in labels
    (gap,) = [each for each in labels if each.endswith(" points")]
    assert gap in (gap_formula(picking_of("usual").summary) or "")
    page.click('[data-plot="picking"] [data-series="0"]')
    labels = page.evaluate(LABELS)
    assert "coverage" not in labels
    assert gap not in labels
    page.click('[data-plot="picking"] [data-series="4"]')
    assert len(page.evaluate(LABELS)) == len(labels) + 1
    assert page.complaints == []


def test_the_page_fits_a_phone_without_scrolling_sideways(page, tmp_path):
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    try:
        show(page, tmp_path, "many ways")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.complaints == []
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")
