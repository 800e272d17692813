"""What imperfect verifiers deliver, as one plain object: the numbers of `monkeys compare SET --truth …`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints, finite_or_none
from tasks.scaling.estimators import Counts, log_spaced_ks, round_ks
from tasks.scaling.interval_over_problems import interval_of_mean
from tasks.selection.combined_verifiers import Combined, Signals, combine
from tasks.selection.verifier import BestK, Rates, VerifiedCounts, best_k, rates, submissions


@dataclass(frozen=True, slots=True)
class VerifierPoint:
    """What comes of k samples, as means over problems: `coverage` is the share of problems with a correct sample among
    them; `right`, `wrong` and `nothing` say what is submitted; `low` and `high` are the interval of `right` over
    problems (None where there are fewer than two). `gain` is right - penalty · wrong."""

    k: int
    coverage: float
    right: float
    low: float | None
    high: float | None
    wrong: float
    nothing: float
    gain: float

    @property
    def trusted(self) -> float | None:
        """Of what is submitted, the share that is right; None where nothing is."""
        submitted = self.right + self.wrong
        return self.right / submitted if submitted else None


@dataclass(frozen=True, slots=True)
class VerifierResult:
    """One verifier: its rates on single samples, `table` at the k of tables, `curve` at log-spaced k, and the best
    k."""

    label: str
    rates: Rates
    table: tuple[VerifierPoint, ...]
    curve: tuple[VerifierPoint, ...]
    best: BestK


@dataclass(frozen=True, slots=True)
class VerifierSummary:
    """Verifiers of the same samples against one that is taken for the truth.

    `always` says that one of the k is submitted at random where none was accepted. `combined` is None unless it was
    asked for. `notes` are whole sentences on what was left out.
    """

    truth: str
    problems: int
    samples: int
    penalty: float
    always: bool
    level: float
    verifiers: tuple[VerifierResult, ...]
    combined: Combined | None
    notes: tuple[str, ...]


def summarise_verifiers(
    truth: str,
    problems: Sequence[Signals],
    *,
    penalty: float,
    always: bool = False,
    combined: bool = False,
    level: float = 0.95,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> VerifierSummary:
    """Each verifier whose verdicts the problems have, and, where `combined` says so, all verdicts and scores as one.

    Args:
        truth: the name of what is taken for the truth.
        problems: the samples of each problem; all have the same verifiers.
        penalty: what a wrong submission costs, where a right one is worth 1.
        always: whether one is submitted at random where none was accepted.
        combined: whether weights for all verdicts and scores are fitted, too.
        level: probability of the intervals.
        seed: seed of the intervals and of cross-validation.
        notes: whole sentences to pass on.

    Raises:
        UserError: there are no problems, or what is combined cannot be.
    """
    if not problems:
        raise UserError("there are no samples with both verdicts")
    ids = [each.problem_id for each in problems]
    correct = [each.correct for each in problems]
    found = [
        _result(
            name,
            VerifiedCounts.of(ids, correct, [each.verdicts[name] for each in problems]),
            penalty, always=always, level=level, seed=seed,
        )
        for name in problems[0].verdicts
    ]  # fmt: skip
    sizes = np.array([len(each) for each in correct])
    fewest = int(sizes.min())
    said = list(notes)
    if fewest < sizes.max():
        said.append(f"Problems have {fewest:,} to {int(sizes.max()):,} samples: curves end at the smallest n.")
    return VerifierSummary(
        truth=truth,
        problems=len(problems),
        samples=int(sizes.sum()),
        penalty=penalty,
        always=always,
        level=level,
        verifiers=tuple(found),
        combined=combine(problems, fewest, level=level, seed=seed) if combined else None,
        notes=tuple(said),
    )


def _result(
    name: str, counts: VerifiedCounts, penalty: float, *, always: bool, level: float, seed: int
) -> VerifierResult:
    def points(ks: Ints) -> tuple[VerifierPoint, ...]:
        return _points(counts, ks, penalty, always=always, level=level, seed=seed)

    return VerifierResult(
        name,
        rates(counts, level, seed),
        points(round_ks(counts.reach)),
        points(log_spaced_ks(counts.reach)),
        best_k(counts, penalty, always=always, level=level, seed=seed),
    )


def _points(
    counts: VerifiedCounts, ks: Ints, penalty: float, *, always: bool, level: float, seed: int
) -> tuple[VerifierPoint, ...]:
    outcome = submissions(counts, ks, always=always)
    band = interval_of_mean(outcome.right, level, seed=seed)
    coverage = Counts.of(counts.problem_ids, counts.n, counts.correct).pass_at_k(ks)
    means: list[Floats] = [
        each.mean(axis=0) for each in (coverage, outcome.right, outcome.wrong, outcome.nothing, outcome.net(penalty))
    ]
    there, right, wrong, nothing, gain = (each.tolist() for each in means)
    low, high = finite_or_none(band.low), finite_or_none(band.high)
    rows = zip(ks.tolist(), there, right, low, high, wrong, nothing, gain, strict=True)
    return tuple(VerifierPoint(*row) for row in rows)
