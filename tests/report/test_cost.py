import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from tasks.costs.comparison import compare_costs
from tasks.costs.curves import Option, Part, coverage_curve
from tasks.costs.measures import LinearCost, Measure
from tasks.costs.mixtures import Gain
from tasks.costs.spending import Best
from tasks.report.cost import tables
from tasks.report.cost.figures import draw, frontier_figure
from tasks.report.cost.phrases import amount, findings, headline
from tasks.scaling.estimators import Counts

RATES = np.random.default_rng(4).beta(0.5, 2, 60)


def comparison(*sets, **asked):
    """Of sets, each a label, a rate for each problem, n, and what a sample costs."""
    curves = []
    for seed, (label, rates, n, each) in enumerate(sets):
        counts = Counts.of([str(i) for i in range(len(rates))], n, np.random.default_rng(seed).binomial(n, rates))
        curves.append(coverage_curve(label, counts, LinearCost(np.zeros(len(rates)), np.full(len(rates), each))))
    return compare_costs(curves, Measure.DOLLARS, resamples=100, **asked)


@pytest.mark.parametrize(
    "of",
    [
        comparison(("small", RATES**2, 50, 0.01), ("<b>large", RATES, 30, 0.1), reach=0.5, budget=20),
        comparison(("alone", RATES, 50, 0.01)),
        comparison(("k = 1", RATES, 1, 0.01), ("other", RATES, 1, 0.02)),
        comparison(("none solved", RATES * 0, 10, 0.01), reach=0.5, budget=1e-9),
        comparison(("free", RATES, 10, 0), ("other", RATES, 10, 0.02), budget=1),
        comparison(("one problem", RATES[:1], 10, 0.02)),
        comparison(("$\\frac$", RATES, 10, 0.02), ("_b$\u202e", RATES, 10, 0.01), reach=0.3, budget=5),
    ],
    ids=lambda of: of.sets[0].label,
)
def test_the_figure_of_every_comparison_can_be_drawn_and_is_told_in_words(of):
    figure = draw(of)
    root = ET.fromstring(figure.svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert headline(of).endswith(".")
    for sentence in findings(of):
        assert sentence.endswith(".")
        assert "nan" not in sentence
        assert "inf " not in sentence
    assert tables.costs_csv(of).startswith("set,k,cost_dollars,")
    assert tables.frontier_csv(of).count("\n") == len(of.frontier) + 1


@pytest.mark.parametrize(("difference", "reported"), [(0.0004, False), (0.03, True)])
def test_a_mixture_is_reported_for_a_budget_only_if_it_solves_visibly_more(difference, reported):
    one, two = Option((Part("a", 5),), 20.0, 0.5), Option((Part("a", 4), Part("b", 1)), 20.0, 0.5 + difference)
    best = Best(20.0, one, 0.4, 0.6, two, Gain(difference, difference - 0.1, difference + 0.1))
    of = replace(comparison(("a", RATES, 10, 1.0)), budget=best)
    assert any(each.startswith("A mixture solves more: ") for each in findings(of)) is reported


def test_the_best_mixture_is_told_and_all_are_in_a_table():
    halves = np.repeat([0.3, 0.0], 30), np.repeat([0.0, 0.3], 30)
    of = comparison(("a", halves[0], 50, 1.0), ("b", halves[1], 50, 1.0))
    (sentence,) = (each for each in findings(of) if each.startswith("A mixture gains most at $"))
    assert "samples of a and" in sentence
    assert "points more than any one set at this cost." in sentence
    header, *rows = tables.csv_files(of)["mixtures.csv"].splitlines()
    assert header == "set,k,other,k_other,cost_dollars,accuracy,low,high,alone"
    assert len(rows) == len(of.mixed)
    assert rows[0].startswith("a,1,b,1,120.0,")
    alone = comparison(("a", halves[0], 50, 1.0))
    assert not any("mixture" in each for each in findings(alone))
    assert "mixtures.csv" not in tables.csv_files(alone)


@pytest.mark.slow
def test_fonts_are_embedded_and_the_figure_is_reproducible():
    of = comparison(("small", RATES**2, 50, 0.01), ("large", RATES, 30, 0.1), reach=0.5)
    first, again = draw(of), draw(of)
    assert first == again
    assert b"/FontFile2" in first.pdf
    assert b"/Type3" not in first.pdf


def test_names_are_drawn_as_they_are():
    names = ["$\\frac$", "_hidden", "a$b", "x\u202ey"]
    figure = frontier_figure(comparison(*((name, RATES, 5, 0.01 * (1 + i)) for i, name in enumerate(names))))
    legend = figure.axes[0].get_legend()
    assert legend is not None
    shown = [text.get_text().replace(r"\$", "$").strip() for text in legend.get_texts()]
    assert shown[-4:] == ["$\\frac$", "_hidden", "a$b", "x‹U+202E›y"]


def test_the_headline_names_the_best_set_and_the_cost_from_which_it_is():
    of = comparison(("small", RATES**2, 50, 0.01), ("large", np.sqrt(RATES), 30, 0.1))
    assert headline(of).startswith("large solves most from $")
    assert headline(comparison(("worse", RATES**2, 10, 2), ("better", RATES, 10, 1))) == (
        "better solves most at every cost from $60.00."
    )


def test_findings_answer_what_was_asked():
    of = comparison(("small", RATES**2, 50, 0.01), ("large", RATES, 30, 0.1), reach=0.5, budget=20)
    text = " ".join(findings(of))
    assert "The cheapest way to 50% is " in text
    assert "The best use of $20.00 is " in text
    assert " of small match 1 sample of large (" in text
    beyond = " ".join(findings(comparison(("small", RATES**2, 5, 0.01), reach=0.99, budget=0.1)))
    assert "No set reaches 99.0% with the samples that were drawn." in beyond
    assert "$0.1 is less than one sample per problem costs in any set." in beyond


@pytest.mark.parametrize(
    ("cost", "measure", "text"),
    [
        (10.8, Measure.DOLLARS, "$10.80"),
        (1234.5, Measure.DOLLARS, "$1,234.50"),
        (0.00725, Measure.DOLLARS, "$0.00725"),
        (0, Measure.DOLLARS, "$0.00"),
        (3.14159e15, Measure.FLOPS, "3.14 PFLOP"),
        (5e20, Measure.FLOPS, "500 EFLOP"),
        (12, Measure.FLOPS, "12 FLOP"),
        (25_300.4, Measure.TOKENS, "25,300 tokens"),
        (90, Measure.SECONDS, "90 s"),
        (9_000, Measure.SECONDS, "2.5 h"),
        (None, Measure.SECONDS, "–"),
    ],
)
def test_amounts_have_their_unit(cost, measure, text):
    assert amount(cost, measure) == text
