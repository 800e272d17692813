"""What a report is made of, and what drawing gives back: plain objects that import nothing heavy."""

from dataclasses import dataclass

from tasks.scaling.summary import SweepSummary


@dataclass(frozen=True, slots=True)
class Example:
    """A sample to show: which it is, its verdict with the grader's reason, and its text as the engine gave it."""

    problem_id: str
    index: int
    verdict: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that a page says: `provenance` is (label, value) pairs, shown in their order."""

    title: str
    summary: SweepSummary
    config_yaml: str
    provenance: tuple[tuple[str, str], ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureFile:
    """One figure as files: SVG with its letters as outlines, and PDF with its font embedded."""

    name: str
    svg: bytes
    pdf: bytes
