"""Expected accuracy over all subsets, in exact fractions, as the definition says it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import ceil

from tasks.selection.outcomes import Outcomes

Rule = Callable[[Outcomes, Sequence[int]], Fraction]


def expected(rule: Rule, problem: Outcomes, k: int) -> Fraction:
    """The mean of a rule over all subsets of k samples."""
    subsets = list(combinations(range(problem.n), k))
    return sum((rule(problem, subset) for subset in subsets), Fraction(0)) / len(subsets)


def majority(problem: Outcomes, subset: Sequence[int]) -> Fraction:
    return vote(problem, subset, [Fraction(1)] * problem.n)


def majority_of_passing(problem: Outcomes, subset: Sequence[int]) -> Fraction:
    return vote(problem, [i for i in subset if problem.passing[i]], [Fraction(1)] * problem.n, among=problem.passing)


def weighted(score: str) -> Rule:
    return lambda problem, subset: vote(problem, subset, [Fraction(float(w)) for w in problem.scores[score]])


def filtered(score: str, keep: Fraction) -> Rule:
    """The weighted vote of the share `keep` with the highest scores, and of those that tie with the last of it."""

    def rule(problem: Outcomes, subset: Sequence[int]) -> Fraction:
        scores = problem.scores[score].tolist()
        voting = sorted((i for i in subset if problem.voters[i] >= 0), key=lambda i: -scores[i])
        kept = voting[: ceil(keep * len(voting))]
        kept += [i for i in voting if i not in kept and scores[i] == scores[kept[-1]]]
        return vote(problem, kept, [Fraction(weight) for weight in scores])

    return rule


def vote(problem: Outcomes, subset: Sequence[int], weights: Sequence[Fraction], among=None) -> Fraction:
    sums: dict[int, Fraction] = {}
    for i in subset:
        answer = int(problem.voters[i])
        if answer >= 0:
            sums[answer] = sums.get(answer, Fraction(0)) + weights[i]
    if not sums:
        return Fraction(0)
    best = [answer for answer, votes in sums.items() if votes == max(sums.values())]
    return sum((_value(problem, answer, among) for answer in best), Fraction(0)) / len(best)


def _value(problem: Outcomes, answer: int, among) -> Fraction:
    """The share of an answer's samples that is correct."""
    members = [i for i in range(problem.n) if problem.voters[i] == answer and (among is None or among[i])]
    return Fraction(sum(bool(problem.correct[i]) for i in members), len(members))


def best(score: str) -> Rule:
    return lambda problem, subset: _best(problem, subset, problem.scores[score].tolist())


def first_passing(problem: Outcomes, subset: Sequence[int]) -> Fraction:
    return _best(problem, subset, problem.passing.tolist())


def _best(problem: Outcomes, subset: Sequence[int], scores: Sequence[float]) -> Fraction:
    most = max(scores[i] for i in subset)
    tied = [i for i in subset if scores[i] == most]
    return Fraction(sum(bool(problem.correct[i]) for i in tied), len(tied))
