"""Measuring a sweep, writing its report to the store, and showing results in the Prefect UI, if its server answers."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

from prefect import task
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.cache_policies import NO_CACHE

from tasks.report.comparison.delivery import Delivered
from tasks.report.comparison.markdown import markdown
from tasks.report.comparison.publish import ComparisonFiles
from tasks.report.cost.of_sweep import SweepCost, costs_of_sweep
from tasks.report.cost.tables import sweep_cost_rows as cost_rows
from tasks.report.phrases import backtest_sentence
from tasks.report.picking.model import Picking
from tasks.report.picking.of_sweep import picking_of
from tasks.report.picking.phrases import gap_sentence
from tasks.report.picking.tables import table_rows
from tasks.report.sweep.markdown import escape
from tasks.report.sweep.publish import Publication, publish
from tasks.report.verifiers.of_sweep import verifiers_of
from tasks.report.verifiers.tables import table_rows as verifier_rows
from tasks.scaling.comparison import Comparison
from tasks.scaling.summary import SweepSummary
from tasks.selection.verifier_summary import VerifierSummary
from tasks.steps.retries import RETRIED
from tasks.steps.server import show
from tasks.sweep.results import Results
from tasks.sweep.sweep import Sweep


@task(task_run_name="report: what changed", **RETRIED)
def show_difference(text: str) -> None:
    """Show what regrading changed in the Prefect UI."""

    def create() -> None:
        create_markdown_artifact(text, key="regrade")

    show("what changed", create)


class Measurement(NamedTuple):
    """The stored results of a sweep, read once, and their summary. `picking` is what ways of picking an answer deliver,
    or why that is not known; None where the samples have nothing to pick by. `costs` are what k samples cost, one entry
    a unit; `verifiers`, what comes of submitting samples that other verifiers accept."""

    results: Results
    summary: SweepSummary
    picking: Picking | str | None
    costs: tuple[SweepCost, ...] | str
    verifiers: VerifierSummary | str | None


@task(task_run_name="measure: coverage and fit", **RETRIED)
def measure(sweep: Sweep) -> Measurement:
    """Unbiased coverage up to k with intervals over problems, the fitted power law, what ways of picking an answer
    deliver, and what the samples cost."""
    results = sweep.results()
    summary = results.summarise()
    picking = picking_of(sweep, summary, results.tally.counted_below)
    picked = picking.summary if isinstance(picking, Picking) else None
    costs = costs_of_sweep(sweep.grading, results.tally.by_problem, summary, picked)
    verifiers = verifiers_of(sweep, summary, results.tally.counted_below)
    return Measurement(results, summary, picking, costs, verifiers)


@task(task_run_name="report: page, figures and tables", **RETRIED)
def report(sweep: Sweep, measured: Measurement, config_yaml: str) -> Publication:
    """Write the page, figures and tables to the store, and show them in the Prefect UI."""
    publication = publish(
        sweep.grading,
        measured.results,
        measured.summary,
        config_yaml,
        picking=measured.picking,
        costs=measured.costs,
        verifiers=measured.verifiers,
    )
    show("the report", lambda: _create_artifacts(sweep, measured, publication))
    return publication


def _create_artifacts(sweep: Sweep, measured: Measurement, publication: Publication) -> None:
    summary = measured.summary
    headline = summary.headline
    look = f"\nTo look at the samples: {escape(publication.view)}\n"
    create_markdown_artifact(publication.markdown + look, key="coverage", description=headline)
    _show_figures(publication.figures, headline)
    if summary.laws is not None:
        rows = [asdict(error) for error in summary.laws.errors]
        create_table_artifact(rows, key="laws", description=backtest_sentence(summary.laws))
    if isinstance(measured.picking, Picking):
        gap = escape(gap_sentence(measured.picking.summary) or "")
        rows = table_rows(measured.picking.summary)
        create_table_artifact(rows, key="picking", description=f"{gap} Report: {escape(publication.page)}")
    if measured.costs and not isinstance(measured.costs, str):
        create_table_artifact(cost_rows(measured.costs), key="costs", description=f"Report: {escape(publication.page)}")
    if isinstance(measured.verifiers, VerifierSummary):
        compared = f"Against {measured.verifiers.truth}, with a penalty of {measured.verifiers.penalty:g}."
        rows = verifier_rows(measured.verifiers)
        create_table_artifact(
            rows, key="verifiers", description=f"{escape(compared)} Report: {escape(publication.page)}"
        )
    samples, verdicts = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
    for key, url in (
        ("report", publication.page),
        ("samples", sweep.samples.store.url(f"samples/{samples}")),
        ("verdicts", sweep.samples.store.url(f"verdicts/{samples}/{verdicts}")),
    ):
        # The URL is also the text: browsers do not open s3://, but users can copy it.
        create_link_artifact(url, link_text=url, key=key, description=headline)


@task(task_run_name="report: show in Prefect", cache_policy=NO_CACHE)
def show_comparison(comparison: Comparison, files: ComparisonFiles | None) -> None:
    """Show a comparison as artifacts: its text, and its page and figures if they were written."""
    headline = comparison.headline

    def create() -> None:
        text = markdown(comparison) if files is None else files.markdown
        create_markdown_artifact(text, key="comparison", description=headline)
        if files is not None:
            create_link_artifact(files.page, link_text="comparison.html", key="comparison-page", description=headline)
            _show_figures(files.figures, headline)
            if not isinstance(files.delivered, str):
                _show_delivered(files.delivered, comparison.sets[0].label, files.page)

    show("the comparison", create)


def _show_delivered(delivered: Delivered, reference: str, page: str) -> None:
    """What ways of picking deliver of the sets, and the paired differences from the first one, where there are any."""
    where = f"Page: {escape(page)}"
    create_table_artifact(delivered.rows(), key="delivered", description=where)
    differences = delivered.difference_rows()
    if differences:
        what = f"Minus {escape(reference)}, percentage points, each problem paired with itself."
        create_table_artifact(differences, key="delivered-differences", description=f"{what} {where}")


def _show_figures(figures: Mapping[str, bytes], description: str) -> None:
    for name, svg in figures.items():
        image = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        create_image_artifact(image, key=f"{name.replace('_', '-')}-plot", description=description)
