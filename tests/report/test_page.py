import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from tasks.report.model import FigureFile
from tasks.report.palette import named_colours
from tasks.report.phrases import visible
from tasks.report.sweep.page import render
from tasks.report.theme import STYLE
from tasks.scaling.laws import PowerLaw

from .sweeps import COUNTS, HOSTILE, report_of

VOID = {"meta", "link", "img", "br", "wbr", "hr", "input"}


class Tree(HTMLParser):
    """Checks that elements are closed in order, and collects what a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.open, self.scripts, self.addresses, self.text = [], 0, [], []

    def handle_starttag(self, tag, attrs):
        assert not any(name.startswith("on") for name, _ in attrs), (tag, attrs)
        self.scripts += tag == "script" and ("type", "application/json") not in attrs
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def read(page: str) -> Tree:
    tree = Tree()
    tree.feed(page)
    tree.close()
    assert tree.open == []
    return tree


@pytest.mark.parametrize("name", COUNTS)
def test_the_page_of_every_sweep_is_well_formed_and_loads_nothing(name):
    page = render(report_of(name))
    tree = read(page)
    assert all(address.startswith(("#", "data:")) for address in tree.addresses)
    assert not re.search(r"(https?:)?//[\w.]+\.\w+/[^\s]*['\")]", re.sub(r'"http:" \+ "//www.w3.org[^"]*"', "", page))
    assert "@import" not in page
    assert "url(" not in page.replace("url(#${clipName})", "")
    assert tree.scripts == 1
    if name != "hostile names":
        assert "‹U+" not in "".join(tree.text).split("Samples")[0]
    assert "nan" not in " ".join(tree.text).lower().split()


def test_the_page_shows_the_numbers():
    report = report_of("usual")
    text = " ".join(" ".join(read(render(report)).text).split())
    summary = report.summary
    assert summary.headline in text
    for point in summary.table:
        assert f"{point.k:,} {point.coverage:.1%}" in text
        assert f"{point.low:.1%} – {point.high:.1%}" in text
    assert isinstance(summary.law, PowerLaw)
    assert f"−{abs(summary.law.a):.3f}" in text
    assert f"−{abs(summary.law.b):.3f}" in text
    assert "2 samples were left out of n" in text
    assert "forecast" in text
    assert "onnxruntime 1.31.1" in text
    assert "sample 1,234" in text
    assert "6,000 more characters are not shown" in text
    for problem in summary.problems:
        assert problem.problem_id in text


def test_text_of_samples_is_never_markup():
    page = render(report_of("hostile names"))
    tree = read(page)
    assert "<script>window" not in page
    assert "<img" not in page
    text = "".join(tree.text)
    assert HOSTILE in text
    assert "<b>‹U+202E›‹U+D800›&amp;" in text
    page.encode()
    assert "{{ 7 * 7 }}" in text
    assert "‹U+202E›reversed‹U+0000›‹U+001B›[31m" in text


def test_only_the_pages_own_script_may_run():
    page = render(report_of("usual"))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/]{43}='", policy)


def test_figures_can_be_downloaded_if_they_were_drawn():
    page = render(report_of("usual"), [FigureFile("coverage", b"<svg/>", b"%PDF")])
    assert 'download="coverage.svg" href="data:image/svg+xml;base64,PHN2Zy8+"' in page
    assert 'download="coverage.pdf"' in page
    assert 'download="verdicts.svg"' not in page
    assert 'download="problems.csv" href="data:text/csv;base64,' in page


def test_the_page_of_a_large_sweep_stays_small():
    assert len(render(report_of("300 problems")).encode()) < 400_000


def test_visible_keeps_ordinary_text():
    text = 'def f(x):\n\treturn "é 数 🙂"\r\n'
    assert visible(text) == text.replace("\r\n", "\n")
    assert visible("a\ud800\u200bb\r") == "a‹U+D800›‹U+200B›b‹U+000D›"


def test_the_page_shows_laws_costs_and_problems_likely_to_be_solved():
    report = report_of("usual")
    text = " ".join(" ".join(read(render(report)).text).split())
    assert "Extrapolation error at held-out k" in text
    assert report.summary.laws is not None
    for error in report.summary.laws.errors:
        assert f"{error.law} {error.median:.3f} {error.rms:.3f}" in text
    assert "completion tokens 71,234 (17.8 per sample)" in text
    assert "cost at $0.6 and $0.15 per million $0.061" in text
    (row,) = report.summary.likely_solves
    assert ", ".join(row.problem_ids) in text
    assert f"{report.summary.table[2].pass_hat_k:.1%}" in text


def test_the_page_of_a_solve_budget_shows_no_coverage():
    text = " ".join(" ".join(read(render(report_of("solving"))).text).split())
    assert "do not give pass@k" in text
    assert "samples to the first success, median" in text
    assert "interval" not in text
    assert "pass rate" not in text.split("Every problem")[0]


def test_every_colour_of_the_page_is_defined_and_used() -> None:
    folder = files("tasks.report").joinpath("templates")
    sheet = folder.joinpath("report.css").read_text()
    used = set(re.findall(r"var\(--([\w-]+)", sheet))
    declared = set(re.findall(r"--([\w-]+):", sheet)) | {"h", "t"}  # a bar's height and a tile's shade: in its element
    named = {name for name, _ in named_colours()}
    assert named <= used <= named | declared


def test_a_colour_is_written_once() -> None:
    """Only the palette has colours of data; what the style sheet spells out is black and greys for paper."""
    folder = files("tasks.report").joinpath("templates")
    for name in ("report.css", "plot.js", "page.js"):
        for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", folder.joinpath(name).read_text()):
            assert len(set(colour[1:])) <= 2, (name, colour)
    assert all(
        f"--{name}: {colour.light};" in STYLE and f"--{name}: {colour.dark};" in STYLE
        for name, colour in named_colours()
    )
