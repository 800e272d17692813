"""The contract of selectors."""

from itertools import combinations

import numpy as np

from monkeys.testing.contract import check_class, require
from tasks.selection import Outcomes, Selector, Simulation

_N = 8


def check_selector(selector: Selector) -> None:
    """Check that the accuracy of a selector is the mean of what it picks over all subsets of k samples, and depends
    neither on the order of the samples nor on how their answers are numbered.

    Raises:
        ContractError: a promise is broken; the message says which.
    """
    check_class("selector", selector)
    require(bool(selector.label), "label is empty")
    for seed in range(4):
        generator = np.random.default_rng(seed)
        problem = _problem(selector, generator)
        ks = np.arange(1, _N + 1)
        accuracy = _accuracy(selector, problem, ks)
        for k in ks.tolist():
            subsets = np.array(list(combinations(range(_N), k)), dtype=np.int64)
            picked = selector.picked(problem, subsets, np.array([k]))
            shape = np.shape(picked)
            require(shape == (len(subsets), 1), f"picked has shape {shape} for {len(subsets)} orders and one k")
            require(bool(((picked >= 0) & (picked <= 1)).all()), "picked is not within 0 to 1")
            mean = float(picked.mean())
            require(
                abs(float(accuracy[k - 1]) - mean) < 1e-9,
                f"accuracy at k = {k} of {_N} samples is {accuracy[k - 1]:g}; "
                f"the mean of picked over all subsets is {mean:g}",
            )
        order, names = generator.permutation(_N), generator.permutation(4)
        renamed = None if problem.answers is None else np.where(problem.answers < 0, -1, names[problem.answers])[order]
        moved = problem.at(order)
        other = Outcomes(moved.problem_id, moved.correct, renamed, moved.scores, moved.passed)
        require(
            bool(np.allclose(_accuracy(selector, other, ks), accuracy, atol=1e-9)),
            "accuracy depends on the order of the samples, or on the numbers of their answers",
        )


def _problem(selector: Selector, generator: np.random.Generator) -> Outcomes:
    """A problem whose samples have what the selector needs, with ties, and one sample without an answer."""
    kinds = {need.kind for need in selector.needs}
    answers = generator.integers(0, 4, _N)
    answers[0] = -1
    scores = {need.score: generator.integers(1, 5, _N) / 4 for need in selector.needs if need.kind == "score"}
    return Outcomes(
        "p",
        answers == 1,
        answers if "answers" in kinds else None,
        scores,
        generator.random(_N) < 0.6 if "passed" in kinds else None,
    )


def _accuracy(selector: Selector, problem: Outcomes, ks: np.ndarray) -> np.ndarray:
    estimate = selector.accuracy(problem, ks, Simulation(1_000, np.random.default_rng(0)))
    shape = np.shape(estimate.accuracy)
    require(shape == ks.shape, f"accuracy has shape {shape} for {len(ks)} values of k")
    return estimate.accuracy
