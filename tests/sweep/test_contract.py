"""What every budget keeps to (`monkeys.testing`), tried on each that is built in."""

import pytest

from monkeys.testing import check_budget
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig, VoteConfig


@pytest.mark.parametrize(
    "budget",
    [
        UniformConfig(),
        AdaptiveConfig(),
        AdaptiveConfig(precision=1e-3),
        AdaptiveConfig(precision=1_000),
        SolveConfig(),
        SolveConfig(first=200),
        VoteConfig(),
        VoteConfig(first=200, confidence=0.6),
    ],
    ids=str,
)
def test_a_budget_keeps_its_promises(budget: Budget) -> None:
    check_budget(budget)
