"""Writes the report of a measured sweep to the store: its page, figures and tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tasks.provers import UNCONFIRMED
from tasks.report.cost.of_sweep import SweepCost
from tasks.report.cost.tables import sweep_costs_csv
from tasks.report.model import Example, ReportData
from tasks.report.phrases import view_command
from tasks.report.picking.figures import draw as draw_picking
from tasks.report.picking.model import Picking
from tasks.report.picking.tables import forecast_csv, picking_csv
from tasks.report.sweep import tables
from tasks.report.sweep.figures import draw
from tasks.report.sweep.markdown import markdown
from tasks.report.sweep.page import render
from tasks.report.verifiers.figures import draw as draw_verifiers
from tasks.report.verifiers.tables import verifiers_csv
from tasks.scaling.summary import SweepSummary
from tasks.selection.verifier_summary import VerifierSummary
from tasks.sweep.grading import Grading
from tasks.sweep.results import Results, Tally

EXAMPLES_OF_EACH_VERDICT = 4


@dataclass(frozen=True, slots=True)
class Publication:
    """The page's URL, one line on how the samples were graded, the result as Markdown, the figures by name, as SVG, and
    the command that opens the samples in a browser."""

    page: str
    grading_note: str
    markdown: str
    figures: Mapping[str, bytes]
    view: str


def publish(
    grading: Grading,
    results: Results,
    summary: SweepSummary,
    config_yaml: str,
    *,
    picking: Picking | str | None = None,
    costs: tuple[SweepCost, ...] | str = (),
    verifiers: VerifierSummary | str | None = None,
) -> Publication:
    """Write the page, figures and tables of the sweep's latest result, replacing earlier ones. `picking` is what ways
    of picking an answer deliver, or why that is not known, `costs` what the samples cost, one entry a unit, or why that
    is not known, and `verifiers` what comes of submitting samples that other verifiers accept, or why that is not
    known."""
    title = f"{grading.samples.identity.label}, k = {grading.selection.k:,}"
    picked = picking if isinstance(picking, Picking) else None
    verified = verifiers if isinstance(verifiers, VerifierSummary) else None
    figures = (
        *draw(summary),
        *(() if picked is None else (draw_picking(picked.summary),)),
        *(() if verified is None else (draw_verifiers(verified),)),
    )
    command = partial(
        view_command,
        grading.samples.store.url("").rstrip("/"),
        grading.samples.identity.name,
        grading.verdicts.identity.name,
    )
    page = render(
        ReportData(
            title=title,
            summary=summary,
            config_yaml=config_yaml,
            provenance=_provenance(grading, results.tally),
            examples=_examples(results, command),
            picking=picking,
            costs=costs,
            verifiers=verifiers,
            view=command(),
        ),
        figures,
    )
    files = {
        "report.html": page.encode(),
        "summary.json": summary.to_json().encode(),
        "coverage.csv": tables.coverage_csv(summary).encode(),
        "problems.csv": tables.problems_csv(summary).encode(),
        "verdicts.csv": tables.verdicts_csv(summary).encode(),
        **_picking_tables(picked),
        **({} if verified is None else {"verifiers.csv": verifiers_csv(verified).encode(errors="backslashreplace")}),
        **({} if isinstance(costs, str) or not costs else {"costs.csv": sweep_costs_csv(costs).encode()}),
        **({"solved.csv": tables.solved_csv(summary).encode()} if summary.solving else {}),
        **({"votes.csv": tables.votes_csv(summary).encode()} if summary.voting else {}),
        **{f"{figure.name}.svg": figure.svg for figure in figures},
        **{f"{figure.name}.pdf": figure.pdf for figure in figures},
    }
    folder = f"reports/{grading.samples.identity.name}/{grading.verdicts.identity.name}"
    store = grading.samples.store
    for name, data in files.items():
        store.write(f"{folder}/{name}", data)
    return Publication(
        page=store.url(f"{folder}/report.html"),
        grading_note=_grading_note(results.tally),
        markdown=markdown(summary, title, picked),
        figures={figure.name: figure.svg for figure in figures},
        view=command(),
    )


def _picking_tables(picked: Picking | None) -> dict[str, bytes]:
    if picked is None:
        return {}
    forecasts = {"picking_forecast.csv": forecast_csv(picked.summary)} if picked.summary.beyond else {}
    texts = {"picking.csv": picking_csv(picked.summary), **forecasts}
    return {name: text.encode(errors="backslashreplace") for name, text in texts.items()}


def _provenance(grading: Grading, tally: Tally) -> tuple[tuple[str, str], ...]:
    store = grading.samples.store
    of_proofs = f", {UNCONFIRMED}" if grading.unconfirmed else ""
    return (
        ("problems", f"{len(grading.selection.problems):,}"),
        ("graded samples", f"{int(tally.by_problem.n.sum()):,}"),
        ("engine", ", ".join(tally.engines)),
        ("grader", f"{grading.grader.name}, version {grading.grader.version}{of_proofs}"),
        ("sandbox", ", ".join(tally.sandboxes)),
        *([] if tally.deduplicated is None else [("deduplicated", _deduplicated(tally))]),
        ("drawn", tally.drawn_at),
        ("graded", tally.graded_at),
        ("sample set", store.url(f"samples/{grading.samples.identity.name}")),
        ("verdict set", store.url(f"verdicts/{grading.samples.identity.name}/{grading.verdicts.identity.name}")),
    )


def _grading_note(tally: Tally) -> str:
    """Where programs ran, and how many executions deduplication saved."""
    graded = int(tally.by_problem.n.sum())
    where = " and ".join(tally.sandboxes) or "nowhere"
    if tally.deduplicated is None:
        return f"{graded:,} samples graded"
    return f"{graded:,} samples graded in {where}; deduplicated: {_deduplicated(tally)}"


def _deduplicated(tally: Tally) -> str:
    total = sum(tally.verdicts.values())
    return f"{tally.deduplicated:,} of {total:,} ({(tally.deduplicated or 0) / max(1, total):.0%})"


def _examples(results: Results, command: Callable[..., str]) -> tuple[Example, ...]:
    return tuple(
        Example(
            problem_id=example.sample.problem_id,
            index=example.sample.index,
            verdict=example.graded.verdict.value,
            text=example.sample.text,
            detail=example.graded.detail,
            view=command(problem=example.sample.problem_id, index=example.sample.index),
        )
        for example in results.examples(EXAMPLES_OF_EACH_VERDICT)
    )
