"""Every selector, by the check that authors of plug-ins have."""

from typing import ClassVar, Literal, get_args

import numpy as np
import pytest

from flows.config.choices import SelectorConfig
from monkeys.testing import ContractError, check_selector
from tasks.plugins import Config
from tasks.selection import Estimate, Need, Outcomes, Simulation
from tasks.selection.weighted_vote import WeightedVote

SELECTORS = [each() for each in get_args(get_args(SelectorConfig)[0])]


@pytest.mark.parametrize("selector", [*SELECTORS, WeightedVote(weight="exp"), WeightedVote(keep=0.3)])
def test_every_selector_keeps_its_promises(selector):
    check_selector(selector)


class First(Config):
    """Picks the first sample, whatever it is."""

    needs: ClassVar[tuple[Need, ...]] = ()
    name: Literal["first"] = "first"
    label: ClassVar[str] = "first"

    def accuracy(self, problem: Outcomes, ks: np.ndarray, simulation: Simulation) -> Estimate:
        return Estimate(np.full(len(ks), float(problem.correct[0])), np.zeros(len(ks)))

    def picked(self, problem: Outcomes, orders: np.ndarray, ks: np.ndarray) -> np.ndarray:
        return np.repeat(problem.correct[orders[:, :1]].astype(float), len(ks), axis=1)


def test_a_selector_that_looks_at_one_order_breaks_the_contract():
    with pytest.raises(ContractError, match="the mean of picked over all subsets is"):
        check_selector(First())
