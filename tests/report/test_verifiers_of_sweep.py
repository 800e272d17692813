"""Other verdicts of the same samples, and the public tests, on the page of a sweep."""

import csv
from dataclasses import replace

import pytest

from tasks.records import Verdict
from tasks.report.sweep.publish import publish
from tasks.report.verifiers.figures import verifiers_figure
from tasks.report.verifiers.of_sweep import verifiers_of
from tasks.selection.verifier_summary import VerifierSummary
from tasks.sweep.budgets import SolveConfig, VoteConfig
from tests.store.stored import PROBLEMS, K, LastLineGrader, draw, fill, grade, sweep_of


class LenientGrader(LastLineGrader):
    """Accepts what begins like an answer, and so some wrong samples; keeps which samples passed the public tests."""

    name, runs_code = "lenient", True

    def grade(self, pairs, sandbox):
        for graded, (_, sample) in zip(super().grade(pairs, sandbox), pairs, strict=True):
            accepted = sample.text.strip().startswith("####")
            verdict = Verdict.CORRECT if accepted else Verdict.WRONG
            yield replace(graded, verdict=verdict, passed=accepted or sample.index % 2 == 0)


def of_sweep(sweep):
    results = sweep.results()
    return verifiers_of(sweep, results.summarise(), results.tally.counted_below)


@pytest.mark.usefixtures("without_figures_of_counts")
def test_other_verdict_sets_are_compared_with_the_sweeps_own_on_its_page(filled_store):
    fill(filled_store, problems=PROBLEMS, k=K, grader=LenientGrader())
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K)
    found = of_sweep(sweep)
    assert isinstance(found, VerifierSummary)
    (verifier,) = found.verifiers
    assert (found.truth.split()[0], verifier.label) == ("final_answer", "lenient v2")
    assert verifier.rates.recall is not None
    assert verifier.rates.precision is not None
    assert verifier.rates.recall.value == 1
    assert verifier.rates.precision.value < 1
    results = sweep.results()
    publication = publish(sweep.grading, results, results.summarise(), "", verifiers=found)
    folder = publication.page.removeprefix(filled_store.url("")).removesuffix("report.html")
    page = filled_store.read(f"{folder}report.html").decode()
    for text in ("<h2>Verifiers</h2>", 'href="#verifiers"', "lenient v2", "right of submitted", "data:image/svg+xml"):
        assert text in page
    rows = list(csv.DictReader(filled_store.read(f"{folder}verifiers.csv").decode().splitlines()))
    assert float(rows[-1]["right"]) == verifier.curve[-1].right
    assert len(verifiers_figure(found).axes) == 2


def test_the_public_tests_are_a_verifier_where_a_grader_keeps_them(filled_store):
    sweep = fill(filled_store, problems=PROBLEMS, k=K, grader=LenientGrader())
    found = of_sweep(sweep)
    assert isinstance(found, VerifierSummary)
    assert [each.label for each in found.verifiers] == ["passed", "final_answer v2"]
    assert found.verifiers[0].rates.recall is not None
    assert found.verifiers[0].rates.recall.value == 1


def test_an_incomplete_verdict_set_is_not_a_verifier(filled_store):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=2 * K, grader=LenientGrader())
    draw(sweep)
    grade(sweep)
    found = of_sweep(sweep)
    assert isinstance(found, VerifierSummary)
    assert [each.label for each in found.verifiers] == ["passed"], "final_answer has graded half of the samples"
    assert found.samples == PROBLEMS * 2 * K
    grade(sweep_of(filled_store, problems=PROBLEMS, k=2 * K))
    found = of_sweep(sweep)
    assert isinstance(found, VerifierSummary)
    assert [each.label for each in found.verifiers] == ["passed", "final_answer v2"]


def test_the_truth_may_be_another_verdict_set_than_the_sweeps_own(filled_store):
    fill(filled_store, problems=PROBLEMS, k=K, grader=LenientGrader())
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K, grader=LenientGrader())
    sweep.truth = "final"
    found = of_sweep(sweep)
    assert isinstance(found, VerifierSummary)
    assert found.truth == "final_answer v2"
    assert [each.label for each in found.verifiers] == ["lenient v2"]
    sweep.truth = "nosuch"
    found = of_sweep(sweep)
    assert isinstance(found, str)
    assert found.startswith("Verifiers are not compared: truth: no verdict set of arithmetic-recorded-")
    assert "\n" not in found


def test_a_sweep_alone_or_one_that_stops_by_its_outcomes_shows_no_verifiers(filled_store):
    assert of_sweep(sweep_of(filled_store, problems=PROBLEMS, k=K)) is None
    fill(filled_store, problems=PROBLEMS, k=K, grader=LastLineGrader())
    for budget in (SolveConfig(), VoteConfig()):
        assert of_sweep(sweep_of(filled_store, problems=PROBLEMS, k=K, budget=budget)) is None
