"""Families of rates averaged, cautiously: which rates the unsolved problems may have, given that no family is true.

A family that fits well need not extrapolate well: the solved problems decide the fit, and rates below 1/n the forecast.
So the average differs from Bayesian model averaging (Hoeting et al. 1999) in two ways.

- *Coarsening* (Miller and Dunson 2019, JASA 114, 1113). The likelihood of P problems is raised to the power
  A / (A + P), A being `_AS_MANY`, so that they count as fewer than A. The posterior of a family that is only nearly
  true would otherwise narrow around a wrong forecast as P grows. The power applies to the parameters of a family and
  to its weight alike.
- *Two likelihoods*, with equal weight: of all counts, and of small counts alone, where problems with `_SEVERAL`
  successes or more count only as such. By the first a family may be preferred for how it describes easy problems.

A was chosen by simulation and on half of the released sets (`benchmarks/RESULTS.md`). Only 5 was tried as `_SEVERAL`.
"""

from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts
from tasks.scaling.families import families
from tasks.scaling.mixtures import Likelihoods, Mixture, Table, coarse

_AS_MANY, _SEVERAL = 150, 5


class FamilyAverage(NamedTuple):
    """Families with their posteriors over parameters, and the families' weights, shape (families,)."""

    mixtures: tuple[Mixture, ...]
    weights: Floats


def family_average(counts: Counts) -> FamilyAverage:
    """The families, with posteriors and weights averaged over the two likelihoods."""
    views = (Likelihoods.of_counts(counts), Likelihoods.of_rare_successes(counts, _SEVERAL))
    joint = [_posterior([coarsened(view, coarse(each)) for each in families()]) for view in views]
    mixtures, weights = [], []
    for each, *of_views in zip(families(), *joint, strict=True):
        posterior: Floats = np.mean(of_views, axis=0)
        weight = float(posterior.sum())
        if weight > 0:
            mixtures.append(Mixture(each, coarse(each), posterior / weight))
            weights.append(weight)
    return FamilyAverage(tuple(mixtures), np.array(weights))


def coarsened(view: Likelihoods, table: Table) -> Floats:
    """The coarsened log-likelihood at each setting of a table, shape (settings,)."""
    power = _AS_MANY / (_AS_MANY + float(view.times.sum()))
    likelihood: Floats = power * view.log_likelihood(table)
    return likelihood


def _posterior(log_likelihoods: list[Floats]) -> list[Floats]:
    """The posterior of every setting of every family, in all 1; families are equally likely before."""
    largest = max(float(each.max()) for each in log_likelihoods)
    # A table is even in the coordinates in which the prior is flat: its settings are equally likely before.
    joint = [np.exp(each - largest) / len(each) for each in log_likelihoods]
    total = sum(float(each.sum()) for each in joint)
    return [each / total for each in joint]
