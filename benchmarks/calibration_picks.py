"""Section of `calibration.py`: intervals over samples of what selectors deliver.

A problem's rate is that of its kind. The score of a sample is standard normal, and the log odds that it is correct rise
by `strength` with each standard deviation, so that the true accuracy of the best of k is an integral. Wrong samples
share five answers; the true accuracy of a vote is simulated.
"""

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

SIZES, SIZE_OF_VOTES = (10, 60), 20
SAMPLES = 100
KS = (1, 10, 50, 90, 100)
STRENGTHS = (0.0, 1.0, 3.0)
LOWEST = 0.92
LOWEST_OF_VOTES = 0.85
_WRONG, _SPREAD = 5, 0.5
_NODES, _VOTES = 500, 1_000


def best_of(kind: Kind, replications: int) -> list[Row]:
    """Best of k by scores that say nothing, something and much of which samples are correct."""
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
    """Majority vote, whose bootstrap takes long: fewer replications."""
    generator = generator_for("majority", kind.name)
    bands, truth = [], []
    for _ in range(max(10, replications // 5)):
        rates = kind.draw(generator, SIZE_OF_VOTES)
        wrong = generator.dirichlet(np.full(_WRONG, _SPREAD), len(rates)) * (1 - rates[:, None])
        shares = np.column_stack([rates, wrong])
        shares /= shares.sum(axis=1, keepdims=True)
        truth.append(np.mean([_majority(each, generator) for each in shares], axis=0))
        drawn = []
        for number, share in enumerate(shares):
            answers = generator.choice(_WRONG + 1, SAMPLES, p=share)
            drawn.append(Outcomes(str(number), answers == 0, answers))
        bands.append(_band(Majority(), drawn))
    return _rows("majority over samples", kind, SIZE_OF_VOTES, bands, truth, LOWEST_OF_VOTES)


def _log_odds(rates: Floats) -> Floats:
    odds: Floats = logit(np.clip(rates, 1e-12, 1 - 1e-12))
    return odds


def _best_of(log_odds: Floats, strength: float) -> Floats:
    """The true accuracy of the best of k, the mean over problems at each k: integrals over the highest score."""
    middles = (np.arange(_NODES) + 0.5) / _NODES
    best = norm.isf(-np.expm1(np.log(middles) / np.array(KS)[:, None]))
    accuracy: Floats = np.mean([expit(each + strength * best).mean(axis=1) for each in log_odds], axis=0)
    return accuracy


def _majority(shares: Floats, generator: np.random.Generator) -> Floats:
    """The accuracy of a vote among k independent samples, at each k."""
    found = []
    for k in KS:
        counts = generator.multinomial(k, shares, _VOTES)
        tied = counts == counts.max(axis=1, keepdims=True)
        found.append(float((tied[:, 0] / tied.sum(axis=1)).mean()))
    return np.array(found)


def _band(selector: Selector, problems: list[Outcomes]) -> Band:
    return interval_over_samples(selector, problems, pick_curve(selector, problems, np.array(KS)))


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
