"""Unbiased coverage from counts: n graded samples and c correct ones, problem by problem.

pass@k of a problem is the chance that k of its n samples, drawn without replacement, hold a correct one:
1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, section 2.1). Coverage is its mean over problems. Where a
problem has fewer than k samples there is no unbiased estimate: the value is NaN, never a guess.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tasks.errors import UserError
from tasks.scaling import sequential_stopping
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.sequential_stopping import Rounds

# e^-40 < 2^-57: beyond it, 1 - x rounds to 1 in double precision.
_CERTAIN = 40.0
# At most this many logarithms go into the table for small k.
_TABLE = 16_384
# At most this many problems, distinct in their counts, are looked at together: it bounds the memory of large sets.
_BLOCK = 2_048


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted: for each problem, `n` graded samples and `c` correct ones (int64, shape (problems,)).

    Samples lost to infrastructure failures are in neither. `rounds` says how n came about where it depends on the
    outcomes; None where it does not, as is usual.

    Raises:
        UserError: lengths differ, an identifier repeats, n is negative, or c lies outside 0..n.
    """

    problem_ids: tuple[str, ...]
    n: Ints
    c: Ints
    rounds: Rounds | None = None

    def __post_init__(self) -> None:
        if not len(self.problem_ids) == len(self.n) == len(self.c):
            raise UserError(
                f"counts: {len(self.problem_ids)} problems, {len(self.n)} values of n and {len(self.c)} of c; "
                "there must be one of each for every problem"
            )
        seen: set[str] = set()
        for problem, n, c in zip(self.problem_ids, self.n.tolist(), self.c.tolist(), strict=True):
            if problem in seen:
                raise UserError(f"counts: problem {problem!r} occurs twice; each must occur once")
            if n < 0 or not 0 <= c <= n:
                raise UserError(
                    f"counts: problem {problem!r} has {c} correct of {n} samples; 0 <= correct <= samples must hold"
                )
            seen.add(problem)

    @classmethod
    def of(cls, problem_ids: Sequence[str], n: ArrayLike, c: ArrayLike) -> "Counts":
        """Counts from anything that numpy reads as whole numbers; one n serves every problem."""
        correct = np.asarray(c, dtype=np.int64)
        samples = np.broadcast_to(np.asarray(n, dtype=np.int64), correct.shape)
        return cls(tuple(problem_ids), samples, correct)

    def __len__(self) -> int:
        return len(self.problem_ids)

    @cached_property
    def reach(self) -> int:
        """The largest k at which coverage can be estimated; 0 where there are no problems."""
        if not len(self):
            return 0
        return int(self.n.min()) if self.rounds is None else self.rounds.reach(self.n, self.c)

    def graded(self) -> "Counts":
        """The problems with at least one graded sample."""
        return self.of_problems(np.flatnonzero(self.n > 0))

    def of_problems(self, positions: Ints) -> "Counts":
        """Some of the problems, by position."""
        rounds = None if self.rounds is None else self.rounds.of(positions)
        return Counts(tuple(self.problem_ids[i] for i in positions), self.n[positions], self.c[positions], rounds)

    def of_ids(self, problem_ids: Sequence[str]) -> "Counts":
        """Some of the problems, by id."""
        at = {problem: position for position, problem in enumerate(self.problem_ids)}
        return self.of_problems(np.array([at[problem] for problem in problem_ids], dtype=np.int64))

    @cached_property
    def _blocks(self) -> tuple["Block", ...]:
        return tuple(joint_blocks((self,)))

    def blocks(self) -> Iterator["Block"]:
        """All problems in blocks of bounded size; those with the same counts appear once."""
        return iter(self._blocks)

    def mean_over_problems(self, values: "Callable[[Counts], Floats]") -> Floats:
        """The mean of values of each problem, shape (problems, ks), which depend on its counts alone; shape (ks,).

        Sums are kept with more digits than a float has: equal shares are equal to the last digit that is printed.
        """
        total: Any = np.longdouble(0)
        for block in self.blocks():
            total = total + (block.times[:, None] * values(block.counts)).sum(axis=0, dtype=np.longdouble)
        mean: Floats = (total / len(self)).astype(np.float64)
        return mean

    def pass_at_k(self, ks: ArrayLike) -> Floats:
        """Unbiased pass@k of every problem, shape (problems, ks); NaN where its samples do not reach k."""
        wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
        if self.rounds is None:
            return pass_at_k(self.n, self.c, wanted)
        return 0.0 - np.expm1(sequential_stopping.log_none_of(self.n, self.c, wanted, self.rounds))

    def pass_at_k_variance(self, ks: ArrayLike) -> Floats:
        """Unbiased variance of `pass_at_k` over the draw of the samples, shape (problems, ks); NaN where there is no
        unbiased one. Single ones may be negative where n depends on the outcomes: only their sum says something."""
        wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
        if self.rounds is None:
            return pass_at_k_variance(self.n, self.c, wanted)
        once, twice = (
            sequential_stopping.log_none_of(self.n, self.c, each, self.rounds) for each in (wanted, 2 * wanted)
        )
        return _variance(once, twice)


class Block(NamedTuple):
    """Some problems of one set or of several: those that have the same counts in every set appear once. `times`
    (problems,) is how many problems each stands for."""

    sets: tuple[Counts, ...]
    times: Ints

    @property
    def counts(self) -> Counts:
        """The counts in the first set."""
        return self.sets[0]


def joint_blocks(sets: Sequence[Counts]) -> Iterator[Block]:
    """The problems of several sets, which have the same problems in the same order, in blocks of bounded size."""
    columns = [column for each in sets for column in (each.n, each.c)]
    columns += [column for each in sets if each.rounds is not None for column in each.rounds.graded.T]
    _, first, times = np.unique(np.column_stack(columns), axis=0, return_index=True, return_counts=True)
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        yield Block(tuple(each.of_problems(first[part]) for each in sets), times[part].astype(np.int64))


@dataclass(frozen=True, eq=False)
class Curve:
    """Coverage at each k (both of shape (ks,)); NaN at every k above `reach`, for lack of samples."""

    ks: Ints
    coverage: Floats
    reach: int

    @property
    def note(self) -> str | None:
        """One line where coverage is missing at some k; None where it is complete."""
        if not (self.ks > self.reach).any():
            return None
        return f"coverage at k > {self.reach} cannot be estimated: some problem has only {self.reach} samples"


@dataclass(frozen=True, eq=False)
class Band:
    """A pointwise interval around a curve: `low` and `high` of shape (ks,), at probability `level`."""

    low: Floats
    high: Floats
    level: float

    def at(self, columns: Ints) -> "Band":
        """The same at some of the k, by position."""
        return Band(self.low[columns], self.high[columns], self.level)


def pass_at_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Floats:
    """Unbiased pass@k (Chen et al. 2021) of every problem at every k.

    Evaluated as -expm1 of a sum of log1p(-k/(n-i)) over i < c, which keeps full relative precision where pass@k is
    small and loses nothing where n is a million. The running sum is shared by the problems with the same n.

    Args:
        n: samples of each problem, shape (problems,) or one number for all.
        c: correct samples of each problem, shape (problems,), 0 <= c <= n.
        k: one k or several, at least 1.

    Returns:
        Shape (problems,) for one k and (problems, ks) for several; NaN where n < k.

    Raises:
        UserError: c outside 0..n, or k below 1.
    """
    samples, correct, ks = _checked(n, c, k)
    values: Floats = 0.0 - np.expm1(_log_none_of(samples, correct, ks))
    return values.reshape(correct.shape + np.shape(k))


def pass_hat_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Floats:
    """Unbiased pass^k of every problem at every k: the chance that all of k samples are correct, C(c, k) / C(n, k).

    Arguments, shape and errors as for `pass_at_k`; values below 1e-17 are given as 0.
    """
    samples, correct, ks = _checked(n, c, k)
    return np.exp(_log_none_of(samples, samples - correct, ks)).reshape(correct.shape + np.shape(k))


def pass_at_k_variance(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Floats:
    """Unbiased variance of `pass_at_k` over the draw of the n samples, the problem being fixed; never negative.

    With q(k) = C(n-c, k) / C(n, k), both q(k) and q(2k) are unbiased for powers of the failure rate, so that
    q(k)^2 - q(2k) is unbiased for the variance of q(k). It needs 2k <= n, and is NaN beyond.

    Arguments, shape and errors as for `pass_at_k`.
    """
    samples, correct, ks = _checked(n, c, k)
    once, twice = (_log_none_of(samples, correct, wanted) for wanted in (ks, 2 * ks))
    return np.maximum(_variance(once, twice), 0.0).reshape(correct.shape + np.shape(k))


def _variance(once: Floats, twice: Floats) -> Floats:
    """q(k)^2 - q(2k) from the logarithms of both."""
    # exp(2a) (1 - exp(b - 2a)) keeps its digits where the two terms almost cancel.
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isneginf(twice), -np.inf, twice - 2 * once)
        variance = np.where(np.isneginf(once), 0.0, np.exp(2 * once) * -np.expm1(ratio))
    return np.where(np.isnan(twice), np.nan, variance)


def _checked(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> tuple[Ints, Ints, Ints]:
    """n and c of shape (problems,), k of shape (ks,)."""
    correct = np.atleast_1d(np.asarray(c, dtype=np.int64))
    samples = np.broadcast_to(np.asarray(n, dtype=np.int64), correct.shape)
    ks = np.atleast_1d(np.asarray(k, dtype=np.int64))
    if (correct < 0).any() or (correct > samples).any():
        raise UserError("pass@k: the number correct must be between 0 and the number of samples")
    if (ks < 1).any():
        raise UserError("pass@k: k must be at least 1")
    return samples, correct, ks


def _log_none_of(n: Ints, c: Ints, ks: Ints) -> Floats:
    """log of C(n-c, k) / C(n, k), shape (problems, ks): k of n samples hold none of c. NaN where n < k."""
    values = np.full((len(c), len(ks)), np.nan)
    for size in np.unique(n):
        rows = np.flatnonzero(n == size)
        distinct, where = np.unique(c[rows], return_inverse=True)
        within = np.flatnonzero(ks <= size)
        values[np.ix_(rows, within)] = _same_n(int(size), distinct, ks[within])[where]
    return values


def _same_n(n: int, c: Ints, ks: Ints) -> Floats:
    """log of C(n-c, k) / C(n, k) for sorted counts `c` of one n and ks <= n, shape (counts, ks)."""
    values = np.full((len(c), len(ks)), -np.inf)
    small = ks <= _TABLE // len(c)
    if small.any():
        # c and k may change places: one running sum over i < k serves every small k.
        most = int(ks[small].max())
        with np.errstate(invalid="ignore", divide="ignore"):
            sums = np.log1p(-c[:, None] / (n - np.arange(most))).cumsum(axis=1)
        values[:, small] = np.where(c[:, None] > n - ks[small], -np.inf, sums[:, ks[small] - 1])
    left = np.arange(n, n - int(c[-1]), -1, dtype=np.float64)
    for column in np.flatnonzero(~small).tolist():
        k = int(ks[column])
        # C(n-c, k) = 0 once c > n - k; and the sum is below -c k / n, so that beyond 40 n / k its exponential is lost.
        within = int(np.searchsorted(c, min(n - k, int(_CERTAIN * n / k) + 1), side="right"))
        if not within:
            continue
        remaining = left[: c[within - 1]]
        # log is several times as fast, and as good where the ratio is not close to 1.
        steps = np.log((remaining - k) / remaining) if 1_000 * k > n else np.log1p(-k / remaining)
        sums = steps.cumsum()
        values[:within, column] = np.where(c[:within] > 0, sums[c[:within] - 1], 0.0) if len(sums) else 0.0
    return values


def coverage(counts: Counts, ks: ArrayLike) -> Curve:
    """Coverage at each k: the mean over problems of pass@k. NaN at every k that exceeds some problem's n."""
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    if not len(counts):
        return Curve(wanted, np.full(len(wanted), np.nan), 0)
    return Curve(wanted, counts.mean_over_problems(lambda some: some.pass_at_k(wanted)), counts.reach)


def log_spaced_ks(n: int, points: int = 40) -> Ints:
    """About `points` whole numbers from 1 to n, evenly spaced in log k, each once; both ends are among them."""
    if n < 1:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.rint(np.geomspace(1, n, points)).astype(np.int64))


def round_ks(n: int) -> Ints:
    """1, 2, 5 times the powers of ten up to n, and n itself: the k of tables."""
    if n < 1:
        return np.zeros(0, dtype=np.int64)
    decades = (digit * 10**power for power in range(len(str(n))) for digit in (1, 2, 5))
    return np.unique(np.array([*(k for k in decades if k < n), n], dtype=np.int64))
