"""Accuracy against k over problems, for one way of picking: the mean, and where it stops improving."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.resampling import RESAMPLES, bootstrap_means_of
from tasks.selection import Selector
from tasks.selection.many_problems import PicksOfMany, in_rows
from tasks.selection.outcomes import Outcomes
from tasks.selection.simulation import ERROR, Estimate, Simulation


@dataclass(frozen=True, eq=False)
class PickCurve:
    """Expected accuracy of what a selector picks from k samples, the mean over problems.

    `accuracy` and `error`, the standard error of its computation (0 where it is exact), have shape (ks,); `each` is the
    accuracy for each problem, shape (problems, ks). All are NaN at every k above `reach`, the smallest n.
    """

    label: str
    ks: Ints
    accuracy: Floats
    error: Floats
    each: Floats
    reach: int

    def at(self, columns: Ints) -> "PickCurve":
        """Some of the k, by position."""
        return replace(
            self,
            ks=self.ks[columns],
            accuracy=self.accuracy[columns],
            error=self.error[columns],
            each=self.each[:, columns],
        )


def pick_curve(
    selector: Selector, problems: Sequence[Outcomes], ks: ArrayLike, *, error: float = ERROR, seed: int = 0
) -> PickCurve:
    """The accuracy of a selector at each k.

    Args:
        selector: the way of picking.
        problems: the samples of each problem.
        ks: each at least 1.
        error: the largest standard error of the mean that Monte Carlo may have.
        seed: seed of Monte Carlo.

    Raises:
        UserError: there is no problem, or the samples lack what the selector needs.
    """
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    check(selector, problems)
    reach = min(problem.n for problem in problems)
    each, errors = np.full((2, len(problems), len(wanted)), np.nan)
    within = np.flatnonzero(wanted <= reach)
    order = within[np.argsort(wanted[within], kind="stable")]
    if len(order):
        each[:, order], errors[:, order] = _accuracies(selector, problems, wanted[order], seed, error)
    mean_error = np.sqrt((errors**2).sum(axis=0)) / len(problems)
    return PickCurve(selector.label, wanted, each.mean(axis=0), mean_error, each, reach)


def _accuracies(selector: Selector, problems: Sequence[Outcomes], ks: Ints, seed: int, error: float) -> Estimate:
    """The accuracy of each problem at ascending k within reach, shape (problems, ks)."""
    accuracy, errors = np.zeros((2, len(problems), len(ks)))
    left = list(range(len(problems)))
    if isinstance(selector, PicksOfMany) and Simulation.of(len(problems), seed, 0, error).one_of_many:
        slower = []
        for positions, rows in in_rows(problems):
            # One generator for all of them, which is that of the first.
            of_rows = selector.accuracies(rows, ks, Simulation.of(len(problems), seed, int(positions[0]), error))
            if of_rows is None:
                slower += positions.tolist()
            else:
                accuracy[positions], errors[positions] = of_rows
        left = slower
    for position in left:
        simulation = Simulation.of(len(problems), seed, position, error)
        accuracy[position], errors[position] = selector.accuracy(problems[position], ks, simulation)
    return Estimate(accuracy, errors)


def check(selector: Selector, problems: Sequence[Outcomes]) -> None:
    """Raise UserError if there are no problems, or if one lacks what the selector needs."""
    if not problems:
        raise UserError("there are no problems to pick answers for")
    for need in selector.needs:
        lacking = [problem for problem in problems if problem.lacks(need)]
        if lacking:
            scores = sorted({score for problem in problems for score in problem.scores})
            known = f"; there are scores {', '.join(scores)}" if need.kind == "score" and scores else ""
            raise UserError(
                f"{selector.label} needs {need}, which {len(lacking):,} of {len(problems):,} problems lack, such as "
                f"{lacking[0].problem_id!r}{known}"
            )


@dataclass(frozen=True, slots=True)
class Plateau:
    """The smallest k beyond which accuracy gains at most `margin`, and the interval of it over problems; None where
    accuracy still rises at the largest k."""

    k: int | None
    low: int | None
    high: int | None
    margin: float
    level: float


def plateau(
    curve: PickCurve, margin: float = 0.01, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Plateau:
    """Where a curve stops improving.

    The largest k measured shows a plateau only from half of it down: before that, samples have not been doubled since.
    The interval is a percentile interval of the bootstrap over problems; with fewer than two problems it is None.
    """
    within = curve.ks <= curve.reach
    order = np.argsort(curve.ks[within], kind="stable")
    ks, each = curve.ks[within][order], curve.each[:, within][:, order]
    estimate = _plateaus(ks, each.mean(axis=0)[None, :], margin)[0]
    ends: list[float] = [np.inf, np.inf]
    if len(each) > 1:
        drawn = _plateaus(ks, bootstrap_means_of(each, resamples, seed), margin)
        tail = (1 - level) / 2
        ends = [float(np.quantile(drawn, q, method="nearest")) for q in (tail, 1 - tail)]
    k, low, high = (None if np.isinf(end) else int(end) for end in (estimate, *ends))
    return Plateau(k, low, high, margin, level)


def _plateaus(ks: Ints, curves: Floats, margin: float) -> Floats:
    """The plateau of each curve, shape (curves,); infinity where there is none."""
    best_after = np.maximum.accumulate(curves[:, ::-1], axis=1)[:, ::-1]
    flat = (best_after - curves <= margin + 1e-12) & (2 * ks <= ks[-1])
    first = np.argmax(flat, axis=1)
    return np.where(flat.any(axis=1), ks[first], np.inf)
