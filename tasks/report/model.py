"""The contents of a report, and figures as files: plain objects without heavy imports."""

from dataclasses import dataclass

from tasks.report.cost.of_sweep import SweepCost
from tasks.report.picking.model import Picking
from tasks.scaling.summary import SweepSummary
from tasks.selection.verifier_summary import VerifierSummary


@dataclass(frozen=True, slots=True)
class Example:
    """A sample to show, with its verdict, the grader's reason (`detail`), its text as the engine returned it, and the
    command that opens its page."""

    problem_id: str
    index: int
    verdict: str
    text: str
    detail: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """The contents of a page. `provenance` has (label, value) pairs, shown in this order. `picking` is what ways of
    picking an answer deliver, or in one sentence why that is not known; None where there is nothing to say. `costs` are
    what k samples cost, one entry a unit, or in one sentence why that is not known. `verifiers` are other verifiers of
    the same samples, or in one sentence why they cannot be shown. `view` is the command that opens the set's page."""

    title: str
    summary: SweepSummary
    config_yaml: str
    provenance: tuple[tuple[str, str], ...] = ()
    examples: tuple[Example, ...] = ()
    picking: Picking | str | None = None
    costs: tuple[SweepCost, ...] | str = ()
    verifiers: VerifierSummary | str | None = None
    view: str = ""


@dataclass(frozen=True, slots=True)
class FigureFile:
    """A figure as files: SVG with text as outlines, and PDF with its font embedded."""

    name: str
    svg: bytes
    pdf: bytes
