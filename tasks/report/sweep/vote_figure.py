"""The figure of what votes delivered where sampling stopped once they were settled."""

from matplotlib.figure import Figure

from tasks.report.palette import BLUE, GREY
from tasks.report.style import count_problems, new_axes
from tasks.report.sweep.vote_rows import vote_rows
from tasks.scaling.summary import SweepSummary


def votes_figure(summary: SweepSummary) -> Figure:
    """The number of problems by samples until their vote was settled, those with a right answer darker.

    Raises:
        ValueError: sampling did not stop at settled votes.
    """
    if summary.voting is None:
        raise ValueError("sampling did not stop at settled votes: there is nothing to draw")
    figure, axes = new_axes(6.4, 3.4)
    rows = vote_rows(summary.voting)
    places = range(len(rows))
    axes.bar(places, [row.problems for row in rows], color=GREY, width=0.82, label="another answer")
    axes.bar(places, [row.right for row in rows], color=BLUE, width=0.82, label="right answer")
    count_problems(axes, [row.label for row in rows], "samples until the vote was settled")
    axes.legend(frameon=False, fontsize=9)
    return figure
