"""Submitting what an imperfect verifier accepts: how often that is right, wrong, or nothing at all.

Of a problem's n samples the verifier accepts a, c are correct in truth, and b are both. Of k samples drawn without
replacement, one that the verifier accepts is submitted. None of the k is accepted with probability
q = C(n-a, k) / C(n, k). Otherwise the one that is submitted is as likely to be any of the a as any other, whether it is
the first accepted in the order drawn or one chosen at random among those accepted: both are right with probability
b / a, and differ only in how many samples have to be drawn. So, exactly:

    right = (1 - q) b / a
    wrong = (1 - q) (1 - b / a)
    nothing is submitted: q

Where a sample must be submitted even if none was accepted, any of the k is taken, and it is right with probability
(c - b) / (n - a).

More samples raise `right` and `wrong` alike. The easy problems have their accepted sample early; what a larger k adds
comes from hard ones, where a false positive is likelier than a correct sample. So the share of what is submitted that
is right falls as k grows, and where a wrong submission costs something, a finite k is best (Stroebl, Kapoor and
Narayanan 2024, "Inference Scaling fLaws: The Limits of LLM Resampling with Imperfect Verifiers", arXiv 2411.17501).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts, log_spaced_ks
from tasks.scaling.resampling import RESAMPLES, bootstrap_means_of, in_groups
from tasks.selection.limits import Interval
from tasks.selection.outcomes import Bools

# Every k up to this one is a candidate for the best; beyond it, some on a log scale.
_EVERY_K = 100
# How much a problem not seen counts for in the interval of a rate, as in `tasks.scaling.interval_over_problems`.
_ADDED = 0.75
# Groups of problems whose weights are drawn together: it bounds the memory of large sets.
_BLOCK = 2_048


@dataclass(frozen=True, eq=False)
class VerifiedCounts:
    """What a verifier makes of the samples of each problem; every array has shape (problems,).

    Of `n` samples, `accepted` are those that the verifier accepts, `correct` those that are correct in truth, and
    `both` those that are both.

    Raises:
        UserError: there is no problem, or one has no samples.
    """

    problem_ids: tuple[str, ...]
    n: Ints
    accepted: Ints
    correct: Ints
    both: Ints

    def __post_init__(self) -> None:
        if not len(self.n):
            raise UserError("there are no samples with both verdicts")
        if not self.n.all():
            raise UserError(f"problem {self.problem_ids[int(self.n.argmin())]!r} has no samples with both verdicts")

    @classmethod
    def of(cls, problem_ids: Sequence[str], correct: Sequence[Bools], accepted: Sequence[Bools]) -> "VerifiedCounts":
        """Counts from the two verdicts on each sample, shape (n,) for each problem."""
        pairs = list(zip(correct, accepted, strict=True))
        columns = [
            [len(each) for each in correct],
            [int(each.sum()) for each in accepted],
            [int(each.sum()) for each in correct],
            [int((one & other).sum()) for one, other in pairs],
        ]
        return cls(tuple(problem_ids), *(np.array(column, dtype=np.int64) for column in columns))

    @property
    def reach(self) -> int:
        """The largest k that all problems reach: the smallest n."""
        return int(self.n.min())


@dataclass(frozen=True, eq=False)
class Submissions:
    """What becomes of k samples of each problem: the probabilities that a right sample, a wrong one or `nothing` is
    submitted, shape (problems, ks). They add up to 1."""

    ks: Ints
    right: Floats
    wrong: Floats
    nothing: Floats

    def net(self, penalty: float) -> Floats:
        """The expected gain, where a right submission is worth 1 and a wrong one costs `penalty`, shape (problems,
        ks)."""
        return self.right - penalty * self.wrong


def submissions(counts: VerifiedCounts, ks: ArrayLike, *, always: bool = False) -> Submissions:
    """The expected outcome of submitting an accepted sample among k, in closed form (see above).

    Args:
        counts: what the verifier accepts.
        ks: each 1 <= k; NaN is given where a problem has fewer samples.
        always: whether one of the k is submitted at random where none was accepted.
    """
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    some = Counts.of(counts.problem_ids, counts.n, counts.accepted).pass_at_k(wanted)
    precision = counts.both / np.maximum(counts.accepted, 1)
    right, wrong = some * precision[:, None], some * (1 - precision)[:, None]
    nothing = 1 - some
    if always:
        rejected = counts.n - counts.accepted
        missed = (counts.correct - counts.both) / np.maximum(rejected, 1)
        right, wrong = right + nothing * missed[:, None], wrong + nothing * (1 - missed)[:, None]
        nothing = nothing * 0
    return Submissions(wanted, right, wrong, nothing)


@dataclass(frozen=True, slots=True)
class Rates:
    """How good a verifier is on single samples. `precision`: of those that it accepts, the share that is correct.
    `recall`: of the correct ones, the share that it accepts. `false_positives`: of the wrong ones, the share that it
    accepts. None where there are no such samples."""

    precision: Interval | None
    recall: Interval | None
    false_positives: Interval | None


def rates(counts: VerifiedCounts, level: float = 0.95, seed: int = 0) -> Rates:
    """Precision, recall and the rate of false positives, each problem counting the same, whatever its n."""
    accepted, correct, both = counts.accepted / counts.n, counts.correct / counts.n, counts.both / counts.n
    return Rates(
        share_of(both, accepted, level, seed),
        share_of(both, correct, level, seed),
        share_of(accepted - both, 1 - correct, level, seed),
    )


def share_of(parts: Floats, wholes: Floats, level: float = 0.95, seed: int = 0) -> Interval | None:
    """The ratio of two means over problems, and its interval over problems.

    The interval is that of coverage (`tasks.scaling.interval_over_problems`) for a ratio: problems get random weights,
    and one more is added, with an average whole of which the part is all for the upper end, and nothing for the lower.
    So it has a width where every ratio is 0 or 1, too. Many problems get their weights in groups (`in_groups`).

    Args:
        parts: shape (problems,), within 0 and `wholes`.
        wholes: shape (problems,).
        level: probability of the interval.
        seed: seed of the weights.

    Returns:
        None where all wholes are 0; without ends where there are fewer than two problems.
    """
    whole = float(wholes.sum())
    if not whole:
        return None
    value = float(min(1.0, parts.sum() / whole))
    if len(parts) < 2:
        return Interval(value, None, None, level)
    generator = np.random.default_rng(seed)
    added = generator.standard_gamma(_ADDED, RESAMPLES) * whole / len(wholes)
    sums = in_groups(np.column_stack((parts, wholes)), generator).sums
    weighted = np.zeros((RESAMPLES, 2))
    for start in range(0, len(sums), _BLOCK):
        some = sums[start : start + _BLOCK]
        weighted += generator.standard_exponential((RESAMPLES, len(some))) @ some
    part, of = weighted.T
    tail = (1 - level) / 2
    low, high = np.quantile(part / (of + added), tail), np.quantile((part + added) / (of + added), 1 - tail)
    return Interval(value, min(float(low), value), max(min(float(high), 1.0), value), level)


@dataclass(frozen=True, slots=True)
class BestK:
    """The k with the largest expected gain, that gain, and the interval of k over problems (None where there are fewer
    than two). `last` says that it is the largest k measured: a larger one may be better."""

    k: int
    gain: float
    low: int | None
    high: int | None
    last: bool


def best_k(
    counts: VerifiedCounts,
    penalty: float,
    *,
    always: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BestK:
    """The k that maximises E[right] - penalty · E[wrong]; of several, the smallest.

    Candidates are every k up to 100, and about 40 beyond it up to the smallest n. The interval is a percentile interval
    of the bootstrap over problems.
    """
    reach = counts.reach
    ks = np.union1d(np.arange(1, min(reach, _EVERY_K) + 1), log_spaced_ks(reach))
    net = submissions(counts, ks, always=always).net(penalty)
    at = _first_best(net.mean(axis=0)[None, :])[0]
    ends: list[int | None] = [None, None]
    if len(net) > 1:
        drawn = ks[_first_best(bootstrap_means_of(net, resamples, seed))]
        tail = (1 - level) / 2
        ends = [int(np.quantile(drawn, q, method="nearest")) for q in (tail, 1 - tail)]
    return BestK(int(ks[at]), float(net.mean(axis=0)[at]), ends[0], ends[1], bool(at == len(ks) - 1))


def _first_best(curves: Floats) -> Ints:
    """The position of the first value of each curve that is the largest but for rounding, shape (curves,)."""
    first: Ints = np.argmax(curves >= curves.max(axis=1, keepdims=True) - 1e-12, axis=1)
    return first
