"""The numbers of a report as CSV text, next to the page and inside it."""

import csv
import io
from collections.abc import Iterable

from tasks.scaling.summary import SweepSummary


def coverage_csv(summary: SweepSummary) -> str:
    """`k,coverage,low,high,kind,all_correct`: what was measured with its interval over problems, then the forecast for
    larger k with its 90 % interval; `kind` tells them apart. `all_correct` is pass^k, the chance that all k are."""
    return to_csv(
        ("k", "coverage", "low", "high", "kind", "all_correct"),
        [
            *(
                (point.k, point.coverage, point.low, point.high, "measured", point.pass_hat_k)
                for point in summary.measured
            ),
            *((point.k, point.coverage, point.low90, point.high90, "forecast", "") for point in summary.forecast[1:]),
        ],
    )


def solved_csv(summary: SweepSummary) -> str:
    """`problem,samples_to_first_success`, for the problems that were solved; no row where sampling did not stop so."""
    took = summary.solving.to_first_success if summary.solving else {}
    return to_csv(("problem", "samples_to_first_success"), took.items())


def problems_csv(summary: SweepSummary) -> str:
    """`problem,samples,correct`, in the order of the dataset."""
    return to_csv(
        ("problem", "samples", "correct"),
        ((problem.problem_id, problem.n, problem.c) for problem in summary.problems),
    )


def verdicts_csv(summary: SweepSummary) -> str:
    """`verdict,samples`, infrastructure failures among them."""
    return to_csv(("verdict", "samples"), sorted(summary.verdicts.items()))


def to_csv(header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """CSV text with a header; None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
