"""What a reader has to be told about counts: what was left out of coverage, and what could not be computed."""

from collections.abc import Sequence

import numpy as np

from tasks.scaling.estimators import Counts


def notes_on_counts(counts: Counts, max_k: int | None = None) -> list[str]:
    """Problems without samples, and where a problem with few samples ends the curve; one sentence each.

    Args:
        counts: what was counted, problems without a graded sample among them.
        max_k: the largest k that is wanted; None: the largest n of a problem.
    """
    graded = counts.graded()
    notes = []
    if ungraded := len(counts) - len(graded):
        verb = "has no graded sample and is" if ungraded == 1 else "have no graded sample and are"
        notes.append(f"{ungraded:,} of {len(counts):,} problems {verb} left out of coverage ({_ungraded(counts)}).")
    wanted = int(graded.n.max() if graded.rounds is None else graded.rounds.ends[-1]) if len(graded) else 0
    if max_k is not None:
        wanted = min(wanted, max_k)
    if wanted > graded.reach:
        stopped = np.zeros(len(graded), bool) if graded.rounds is None else graded.rounds.stopped(graded.n, graded.c)
        # The problems with the fewest samples are named first: they are the ones that end the curve.
        short = np.flatnonzero((graded.n < wanted) & ~stopped)
        fewest = short[np.argsort(graded.n[short], kind="stable")]
        notes.append(
            f"Coverage stops at k = {graded.reach:,}: beyond it, at least one problem has too few graded samples "
            f"for an unbiased estimate ({_named([graded.problem_ids[i] for i in fewest])})."
        )
    return notes


def notes_on_intervals(graded: Counts) -> list[str]:
    """Where an interval over problems is absent, or says less than usual."""
    if len(graded) == 1:
        return ["A single problem gives no interval: intervals are over the choice of problems."]
    if len(graded) and not graded.c.any():
        return [
            "No problem was solved. The upper end of the interval is the coverage at which that would still be "
            "plausible for this many problems."
        ]
    return []


def _ungraded(counts: Counts) -> str:
    return _named([counts.problem_ids[i] for i in np.flatnonzero(counts.n == 0)])


def _named(problems: Sequence[str]) -> str:
    """The first few of some problems; long names are cut."""
    short = [problem if len(problem) <= 60 else problem[:57] + "…" for problem in problems[:3]]
    return ", ".join(short) + (" and others" if len(problems) > 3 else "")
