"""Section of `calibration.py`: intervals over samples of what selectors deliver.

A problem's rate is that of its kind. The score of a sample is standard normal, and the log odds that it is correct rise
by `strength` with each standard deviation, so that the true accuracy of the best of k is an integral. For votes, the
wrong samples of every second problem share five answers, those of the others up to 60, many of which occur once; scores
are a standard deviation higher for correct samples, and the true accuracy is simulated.
"""

from typing import NamedTuple

import numpy as np
from calibration_table import Ends, Kind, Row, generator_for, row_of
from scipy.special import expit, logit
from scipy.stats import norm

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Band
from tasks.selection import Outcomes, Selector
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.interval_over_samples import interval_over_samples
from tasks.selection.majority import Majority
from tasks.selection.weighted_vote import WeightedVote

SIZES, SIZE_OF_VOTES = (10, 60), 20
SAMPLES = 100
KS = (1, 10, 50, 90, 100)
STRENGTHS = (0.0, 1.0, 3.0)
LOWEST = 0.92
VOTES: dict[str, Selector] = {"majority": Majority(), "weighted vote": WeightedVote()}
# Dirichlet parameters of the frequencies of wrong answers.
_WRONG = (np.full(5, 0.5), np.full(60, 0.15))
_NODES, _VOTES, _POOL = 500, 1_000, 60
# Enough of the interval over samples, which allows for it.
_ERROR = 0.004


def best_of(kind: Kind, replications: int) -> list[Row]:
    """Best of k by scores that say nothing, something and much of which samples are correct. Fewer replications."""
    replications = max(10, replications // 4)
    rows = []
    for problems in SIZES:
        for strength in STRENGTHS:
            generator = generator_for("best of k", kind.name, problems, strength)
            bands, truth = [], []
            for _ in range(replications):
                log_odds = _log_odds(kind.draw(generator, problems))
                truth.append(_best_of(log_odds, strength))
                scores = generator.standard_normal((problems, SAMPLES))
                correct = generator.random(scores.shape) < expit(log_odds[:, None] + strength * scores)
                drawn = [
                    Outcomes(str(number), right, scores={"score": score})
                    for number, (right, score) in enumerate(zip(correct, scores, strict=True))
                ]
                bands.append(_band(BestOf(), drawn))
            rows += _rows(f"best of k over samples, {strength:g}", kind, problems, bands, truth, LOWEST)
    return rows


def votes(kind: Kind, replications: int) -> list[Row]:
    """Majority, and a vote weighted by scores that say something. Votes take long: fewer replications."""
    generator = generator_for("votes", kind.name)
    voted = _voted(kind, generator)
    truth: dict[str, list[Floats]] = {each: [] for each in voted.truth}
    bands: dict[str, list[Band]] = {each: [] for each in voted.truth}
    for _ in range(max(10, replications // 5)):
        some = generator.integers(0, _POOL, SIZE_OF_VOTES)
        drawn = [_votes_of(voted.shares[one], SAMPLES, generator) for one in some.tolist()]
        for name, selector in VOTES.items():
            truth[name].append(voted.truth[name][some].mean(axis=0))
            bands[name].append(_band(selector, drawn))
    return [
        row
        for name in VOTES
        for row in _rows(f"{name} over samples", kind, SIZE_OF_VOTES, bands[name], truth[name], LOWEST)
    ]


class _Voted(NamedTuple):
    """Problems with the frequencies of their answers, the correct one first, and the true accuracy of each vote,
    shape (problems, ks)."""

    shares: list[Floats]
    truth: dict[str, Floats]


def _voted(kind: Kind, generator: np.random.Generator) -> _Voted:
    shares = []
    for number, rate in enumerate(kind.draw(generator, _POOL).tolist()):
        wrong = generator.dirichlet(_WRONG[number % len(_WRONG)])
        shares.append(np.append(rate, wrong * (1 - rate)))
    truth = {
        name: np.array([[_accuracy(selector, each, k, generator) for k in KS] for each in shares])
        for name, selector in VOTES.items()
    }
    return _Voted(shares, truth)


def _accuracy(selector: Selector, shares: Floats, k: int, generator: np.random.Generator) -> float:
    """The accuracy of a vote among k samples, by as many votes as make it precise."""
    if k == 1:
        return float(shares[0])
    samples = _votes_of(shares, _VOTES * k, generator)
    return float(selector.picked(samples, np.arange(_VOTES * k).reshape(_VOTES, k), np.array([k])).mean())


def _votes_of(shares: Floats, samples: int, generator: np.random.Generator) -> Outcomes:
    answers = generator.choice(len(shares), samples, p=shares / shares.sum())
    return Outcomes("", answers == 0, answers, {"score": expit(generator.normal(answers == 0, 1.0))})


def _log_odds(rates: Floats) -> Floats:
    odds: Floats = logit(np.clip(rates, 1e-12, 1 - 1e-12))
    return odds


def _best_of(log_odds: Floats, strength: float) -> Floats:
    """The true accuracy of the best of k, the mean over problems at each k: integrals over the highest score."""
    middles = (np.arange(_NODES) + 0.5) / _NODES
    best = norm.isf(-np.expm1(np.log(middles) / np.array(KS)[:, None]))
    accuracy: Floats = np.mean([expit(each + strength * best).mean(axis=1) for each in log_odds], axis=0)
    return accuracy


def _band(selector: Selector, problems: list[Outcomes]) -> Band:
    return interval_over_samples(selector, problems, pick_curve(selector, problems, np.array(KS), error=_ERROR))


def _rows(interval: str, kind: Kind, problems: int, bands: list[Band], truth: list[Floats], lowest: float) -> list[Row]:
    ends = Ends(np.array([band.low for band in bands]), np.array([band.high for band in bands]), np.array(truth))
    return [
        row_of(
            ends,
            column,
            interval=interval,
            kind=kind.name,
            problems=problems,
            samples=SAMPLES,
            k=k,
            lowest=lowest,
        )
        for column, k in enumerate(KS)
    ]
