r"""The expected accuracy of a vote among k of n samples, exactly.

The votes in a subset of k samples follow the multivariate hypergeometric distribution: independent binomial votes N_b
of n_b samples with probability k/n each, given that their sum is k. The answer a wins alone with m votes where N_a = m
and every other N_b < m; with T - 1 others at m votes it wins with probability 1/T. As 1/T is the integral of y^(T-1)
over 0..1, the accuracy at k is

    [x^k] of the sum over m of the integral over y of
        sum over a of v_a q_a(m) x^m · product over b != a of (S_b(m) + y q_b(m) x^m)

divided by the probability that the sum is k, where q_b is the distribution of N_b, S_b(m) the sum of q_b(i) x^i over
i < m, and v_a the accuracy of the answer a. The integrand is a polynomial in y, for which Gauss-Legendre quadrature is
exact. The coefficient is taken by a discrete Fourier transform, whose length needs to exceed only the spread of the sum
around k, some 10 sqrt(k(1-k/n)): what lies further away is less probable than rounding.

Answers that cannot win are counted together. For answers of shares p < p', the smaller gets at least as many votes as
the larger with probability at most (1 - (sqrt p' - sqrt p)^2)^k: Chernoff's bound, which also holds without replacement
(Hoeffding 1963, section 6). They are left out of the race where all of these together are below 1e-15.
"""

from functools import lru_cache
from math import ceil, lgamma, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Tally

_Complex = NDArray[np.complex128]

# Probabilities below exp(-_LOG_NEGLIGIBLE) are left out.
_LOG_NEGLIGIBLE = 40.0
_LOG_NO_RACE = 35.0
# Elements of the arrays that are worked on together: what a processor's cache holds.
_CHUNK = 1 << 15


class Race(NamedTuple):
    """A vote among k samples, as `race` prepares it. Answers of the same size and accuracy are a group: `sizes`,
    `values` and `times` have shape (groups,). `others` samples cannot win."""

    n: int
    k: int
    sizes: Ints
    values: Floats
    times: Ints
    others: int
    low: int
    high: int
    """The number of votes of the winner lies in low..high."""
    length: int
    """Length of the Fourier transform."""
    nodes: int
    """Nodes of the quadrature."""

    @property
    def work(self) -> int:
        """Complex numbers that `accuracy` has to compute, more or less."""
        return len(self.sizes) * (self.high - self.low + 1) * (self.length // 2 + 1) * (self.nodes + 1)


def race(tally: Tally, k: int) -> Race:
    """Prepare the vote among k of a problem's samples, 1 <= k < n, at least one of which has an answer."""
    n = tally.n
    contends = _contenders(tally.votes, n, k)
    votes, values = tally.votes[contends], tally.values[contends]
    groups, times = np.unique(np.column_stack([votes, values]), axis=0, return_counts=True)
    sizes = groups[:, 0].astype(np.int64)
    share: Floats = sizes / n
    # The hypergeometric is a sum of independent Bernoulli variables, to which Bernstein's inequality applies.
    reach = _reach(k * share * (1 - share) * ((n - k) / max(n - 1, 1)))
    low = max(1, int(np.floor(k * share - reach).max()))
    high = int(min(np.ceil(k * share + reach).max(), k, votes.max()))
    length = min(n, ceil(float(_reach(np.array(k * (1 - k / n)))))) + 1
    nodes = _nodes(min(len(votes), k // low), float(times @ _mode_bound(k * share, 1 - k / n, low)))
    return Race(n, k, sizes, groups[:, 1], times.astype(np.int64), n - int(votes.sum()), low, high, length, nodes)


def accuracy(vote: Race) -> float:
    """The expected accuracy of the winner, to about 1e-13; a subset without an answer counts as wrong."""
    if vote.times.sum() == 1 and vote.low > 1:
        return float(vote.values[0])
    transform = _Transform.of(vote)
    # Answers that are never right come first: up to the first that may be, there is no sum to keep.
    order = np.argsort(vote.values, kind="stable").tolist()
    answers = [(transform.votes(int(vote.sizes[i])), float(vote.values[i]), int(vote.times[i])) for i in order]
    nodes, weights = _quadrature(vote.nodes)
    won: _Complex = np.zeros(transform.frequencies, dtype=np.complex128)
    rows = max(1, _CHUNK // (transform.frequencies * vote.nodes))
    for start in range(0, vote.high + 1 - vote.low, rows):
        some = slice(start, start + rows)
        # Products over the answers so far: of none that won yet, and the sum over which of them did.
        none: _Complex = np.ones((1, 1, 1), dtype=np.complex128)
        one: _Complex | None = None
        for votes, value, times in answers:
            level = transform.powers[some] * votes.winning[some, None]
            factor = votes.fewer[some] + nodes * level
            rest = _power(factor, times - 1)
            if value:
                wins = none * (times * value * level) * rest
                one = wins if one is None else one * (rest * factor) + wins
            none = none * (rest * factor)
        if one is not None:
            won += np.einsum("y,ymf->f", weights, one)
    others = transform.votes(vote.others).total
    possible = others.copy()
    for votes, _, times in answers:
        possible *= _power(votes.total, times)
    return float(np.clip(transform.at_k(won * others) / transform.at_k(possible), 0, 1))


class _Votes(NamedTuple):
    """How many of an answer's samples are in the subset, and transforms of that distribution."""

    winning: Floats
    """The probability of each number of votes that may win, shape (high - low + 1,)."""
    fewer: _Complex
    """The transform of what is below each of these, shape (high - low + 1, frequencies)."""
    total: _Complex
    """The transform of all, shape (frequencies,)."""


class _Transform(NamedTuple):
    """A discrete Fourier transform at the frequencies from 0 to half; the others are their conjugates."""

    vote: Race
    frequencies: int
    powers: _Complex
    """x^m for each number of votes m that may win, shape (high - low + 1, frequencies)."""
    back: _Complex

    @classmethod
    def of(cls, vote: Race) -> "_Transform":
        roots = np.exp(2j * np.pi * np.arange(vote.length) / vote.length)
        steps = np.arange(vote.length // 2 + 1)
        powers = roots[np.outer(np.arange(vote.low, vote.high + 1), steps) % vote.length]
        times = np.where((steps == 0) | (2 * steps == vote.length), 1.0, 2.0)
        return cls(vote, len(steps), powers, roots[(-steps * vote.k) % vote.length] * times)

    def at_k(self, values: _Complex) -> float:
        """The coefficient of x^k, times the length of the transform."""
        return float((values * self.back).real.sum())

    def votes(self, size: int) -> _Votes:
        """The distribution of the votes of an answer with this many samples."""
        vote, share = self.vote, self.vote.k / self.vote.n
        reach = float(_reach(np.array(size * share * (1 - share))))
        first, last = max(0, int(size * share - reach)), min(size, ceil(size * share + reach))
        count = np.arange(first, last + 1)
        # Outwards from the mode by ratios, which keeps all digits where logarithms of factorials would not.
        ratios = (size - count[:-1]) / (count[:-1] + 1) * (share / (1 - share))
        mode = min(max(int((size + 1) * share), first), last) - first
        down = np.cumprod(1 / ratios[:mode][::-1])[::-1]
        probability = np.concatenate([down, [1.0], np.cumprod(ratios[mode:])])
        probability /= probability.sum()
        winning = np.zeros(vote.high + 1 - vote.low)
        inside = (count >= vote.low) & (count <= vote.high)
        winning[count[inside] - vote.low] = probability[inside]
        fewer = np.empty((len(winning), self.frequencies), dtype=np.complex128)
        fewer[0] = self._of(count, np.where(count < vote.low, probability, 0))
        np.multiply(self.powers[:-1], winning[:-1, None], out=fewer[1:])
        np.cumsum(fewer, axis=0, out=fewer)
        return _Votes(winning, fewer, self._of(count, probability))

    def _of(self, count: Ints, probability: Floats) -> _Complex:
        """The transform of a distribution."""
        length = self.vote.length
        wrapped = np.bincount(count % length, weights=probability, minlength=length)
        transformed: _Complex = np.conj(np.fft.rfft(wrapped))
        return transformed


def _contenders(votes: Ints, n: int, k: int) -> Ints:
    """Positions of the answers that may win or tie, up to a negligible probability."""
    first = int(votes.max())
    gap = (sqrt(first) - np.sqrt(votes)) ** 2 / n
    log_bound = k * np.log1p(-np.minimum(gap, 1 - 1e-16))
    # The samples that are not drawn are too few to make up the difference.
    log_bound[votes < first - (n - k)] = -np.inf
    order = np.argsort(log_bound, kind="stable")
    with np.errstate(divide="ignore"):
        together = np.log(np.cumsum(np.exp(log_bound[order])))
    return np.sort(order[together > -_LOG_NO_RACE])


def _reach(variance: Floats) -> Floats:
    """How far a sum of independent variables, each within 0..1, may be from its mean (Bernstein's inequality)."""
    third = _LOG_NEGLIGIBLE / 3
    reach: Floats = third + np.sqrt(third * third + 2 * _LOG_NEGLIGIBLE * variance)
    return reach


def _mode_bound(mean: Floats, rest: float, low: int) -> Floats:
    """Bounds for the probability of any one number of votes from `low` on: that of the mode (Herzog 1947), and
    Chernoff's."""
    with np.errstate(divide="ignore"):
        mode = 1 / np.sqrt(2 * np.e * mean * rest)
        tail = np.where(mean < low, np.exp(low - mean + low * np.log(mean / low)), 1.0)
    bound: Floats = np.minimum(np.minimum(mode, tail), 1.0)
    return bound


def _nodes(ties: int, expected: float) -> int:
    """Nodes for polynomials of degree ties - 1. With fewer, g, the error is at most (g!)^4 / ((2g+1) ((2g)!)^3) times
    the largest derivative of order 2g, which is at most the expected number of answers at the winner's votes, to the
    power 2g."""
    enough = max(1, ceil(ties / 2))
    for nodes in range(1, enough):
        error = 4 * lgamma(nodes + 1) - log(2 * nodes + 1) - 3 * lgamma(2 * nodes + 1) + 2 * nodes * log(expected)
        if error < -_LOG_NEGLIGIBLE:
            return nodes
    return enough


@lru_cache(maxsize=64)
def _quadrature(nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes on 0..1, shape (nodes, 1, 1), and their weights, shape (nodes,)."""
    at, weights = np.polynomial.legendre.leggauss(nodes)
    return (at[:, None, None] + 1) / 2, weights / 2


def _power(base: _Complex, exponent: int) -> _Complex:
    """By squaring: numpy's power of complex numbers takes logarithms."""
    result: _Complex = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base
        base, exponent = base * base, exponent >> 1
    return result
