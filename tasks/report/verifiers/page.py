"""The section of a sweep's page on verifiers."""

from collections.abc import Sequence
from typing import Any

from tasks.report.html import figure_links, link, svg_address
from tasks.report.model import FigureFile
from tasks.report.phrases import interval, visible
from tasks.report.verifiers.phrases import best_k_sentence, rate
from tasks.report.verifiers.tables import verifiers_csv
from tasks.selection.verifier_summary import VerifierResult, VerifierSummary


def section(verifiers: VerifierSummary | str | None, figures: Sequence[FigureFile]) -> dict[str, Any] | None:
    """What the template shows; None where there is nothing to say."""
    if verifiers is None:
        return None
    if isinstance(verifiers, str):
        return {"reason": verifiers}
    figure = next((each for each in figures if each.name == "verifiers"), None)
    return {
        "reason": None,
        "truth": visible(verifiers.truth),
        "level": verifiers.level,
        "image": None if figure is None else svg_address(figure),
        "links": [link("verifiers.csv", verifiers_csv(verifiers)), *([] if figure is None else figure_links(figure))],
        "each": [_shown(each, verifiers) for each in verifiers.verifiers],
        "notes": verifiers.notes,
    }


def _shown(each: VerifierResult, summary: VerifierSummary) -> dict[str, Any]:
    show = "{:.1%}".format
    return {
        "label": visible(each.label),
        "rates": f"precision {rate(each.rates.precision)}, recall {rate(each.rates.recall)}, accepts "
        f"{rate(each.rates.false_positives)} of wrong samples",
        "rows": [
            (
                f"{at.k:,}",
                show(at.coverage),
                show(at.right),
                interval(at.low, at.high, show),
                show(at.wrong),
                show(at.nothing),
                "–" if at.trusted is None else show(at.trusted),
                f"{at.gain:+.3f}".replace("-", "−"),
            )
            for at in each.table
        ],
        "best": best_k_sentence(each, summary),
    }
