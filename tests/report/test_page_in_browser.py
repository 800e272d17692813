import pytest

from tasks.report.sweep.figures import draw
from tasks.report.sweep.page import render

from .browser import Page
from .sweeps import COUNTS, report_of


def show(page: Page, tmp_path, name: str) -> None:
    page.requests.clear()
    page.complaints.clear()
    report = report_of(name)
    file = tmp_path / "report.html"
    file.write_text(render(report, draw(report.summary) if name == "usual" else ()), encoding="utf-8")
    page.open(file)


@pytest.mark.parametrize("name", COUNTS)
def test_the_page_fetches_nothing_logs_no_errors_and_runs_no_foreign_script(page, tmp_path, name):
    show(page, tmp_path, name)
    assert [address for address in page.requests if not address.startswith("data:")] == [
        (tmp_path / "report.html").as_uri()
    ]
    assert page.complaints == []
    assert page.evaluate("window.stolen") is None
    # The page is not wider than its window.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_plot_reacts_to_the_mouse(page, tmp_path):
    show(page, tmp_path, "usual")
    x, y = page.middle("#chart")
    page.mouse("mouseMoved", x, y)
    assert page.evaluate("!document.querySelector('#tip').hidden")
    assert "interval" in page.evaluate("document.querySelector('#tip').textContent")
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", x + 200, y, button="left", buttons=1)
    page.mouse("mouseReleased", x + 200, y, button="left", clickCount=1)
    assert page.evaluate("!document.querySelector('[data-reset]').hidden")
    page.click("[data-reset]")
    assert page.evaluate("document.querySelector('[data-reset]').hidden")


def test_layers_and_scales_can_be_toggled(page, tmp_path):
    show(page, tmp_path, "usual")
    labels = "[...document.querySelectorAll('#chart text')].map((e) => e.textContent).join(' ')"
    before = page.evaluate(labels)
    assert "10,000" in before
    page.click('[data-layer="forecast"]')
    assert page.evaluate("document.querySelector('.forecast-line[d]')") is None
    assert "10,000" not in page.evaluate(labels)
    page.click('[data-layer="forecast"]')
    assert page.evaluate(labels) == before
    line = "document.querySelector('path.measured').getAttribute('d')"
    logarithmic = page.evaluate(line)
    for scale in ("x", "y"):
        page.click(f'[data-scale="{scale}"]')
        assert page.evaluate(line) != logarithmic
        page.click(f'[data-scale="{scale}"]')
        assert page.evaluate(line) == logarithmic


def test_the_keyboard_moves_along_the_curve(page, tmp_path):
    show(page, tmp_path, "usual")
    page.evaluate("document.querySelector('#chart').focus()")
    page.press("Home")
    assert page.evaluate("document.querySelector('.reading').textContent").startswith("k = 1: ")
    page.press("ArrowRight")
    assert page.evaluate("document.querySelector('.reading').textContent").startswith("k = 2: ")
    page.press("End")
    assert "forecast, not measured" in page.evaluate("document.querySelector('.reading').textContent")
    page.press("+")
    assert page.evaluate("!document.querySelector('[data-reset]').hidden")
    page.press("0")
    assert page.evaluate("document.querySelector('[data-reset]').hidden")


def test_samples_can_be_filtered_by_verdict_and_the_table_sorted(page, tmp_path):
    show(page, tmp_path, "usual")
    open_samples = "document.querySelectorAll('.sample:not([hidden])').length"
    assert page.evaluate(open_samples) == 3
    page.click('[data-verdict="wrong"]')
    assert page.evaluate(open_samples) == 2
    page.click("#problems summary")
    page.click(".sortable th:nth-child(2) button")
    rates = "[...document.querySelectorAll('.sortable tbody tr')].map((row) => +row.cells[1].textContent)"
    assert page.evaluate(rates) == sorted(page.evaluate(rates), reverse=True)
    page.click(".sortable th:nth-child(2) button")
    assert page.evaluate(rates) == sorted(page.evaluate(rates))


def test_the_theme_button_cycles_through_the_themes(page, tmp_path):
    show(page, tmp_path, "usual")
    paper = "getComputedStyle(document.body).backgroundColor"
    for name, colour in (("Light", "rgb(255, 255, 255)"), ("Dark", "rgb(20, 23, 27)")):
        page.click("#theme")
        assert page.evaluate("document.querySelector('#theme').textContent") == name
        assert page.evaluate(paper) == colour


def test_the_page_fits_a_phone_without_scrolling_sideways(page, tmp_path):
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    try:
        show(page, tmp_path, "300 problems")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.complaints == []
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")


def test_pass_hat_k_is_drawn_if_its_layer_is_on(page, tmp_path):
    show(page, tmp_path, "usual")
    assert page.evaluate("document.querySelector('path.every')") is None
    page.click('[data-layer="every"]')
    assert page.evaluate("document.querySelector('path.every').getAttribute('d').length") > 100
