"""The numbers of a report as CSV text, for files next to the page and for download links in it."""

import csv
import io
from collections.abc import Iterable

from tasks.scaling.summary import SweepSummary


def coverage_csv(summary: SweepSummary) -> str:
    """`k,coverage,low,high,kind,all_correct`. `kind` is `measured`, with an interval over problems, or `forecast`, with
    a 90 % interval over samples, for these problems. `all_correct` is pass^k, the probability that all k samples are
    correct."""
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
    """`problem,samples_to_first_success`, for the problems that were solved; without rows if sampling did not stop at
    first successes."""
    solved = summary.solving.to_first_success if summary.solving else {}
    return to_csv(("problem", "samples_to_first_success"), solved.items())


def votes_csv(summary: SweepSummary) -> str:
    """`problem,samples,votes,right,settled`: each problem's vote where sampling stopped once it was settled; without
    rows if it did not."""
    return to_csv(
        ("problem", "samples", "votes", "right", "settled"), () if summary.voting is None else summary.voting.problems
    )


def problems_csv(summary: SweepSummary) -> str:
    """`problem,samples,correct`, in the order of the dataset."""
    return to_csv(
        ("problem", "samples", "correct"),
        ((problem.problem_id, problem.n, problem.c) for problem in summary.problems),
    )


def verdicts_csv(summary: SweepSummary) -> str:
    """`verdict,samples`, including infrastructure failures."""
    return to_csv(("verdict", "samples"), sorted(summary.verdicts.items()))


def to_csv(header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """CSV text with a header; None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
