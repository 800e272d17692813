"""Too many sets are refused before any is read: a store may hold hundreds of large ones."""

from pathlib import Path

import pytest

from flows.config.compare import CompareConfig
from flows.config.cost import CostConfig
from flows.setup import compare, cost
from tasks.errors import UserError

ABSENT = tuple(f"set-{number}" for number in range(9))


def test_compare_refuses_more_sets_than_it_can_show_before_it_opens_the_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="compare: 9 given; give two sets or more, and 8 at most"):
        compare.load(CompareConfig(sets=ABSENT, store=str(tmp_path / "absent")))


def test_cost_refuses_more_sets_than_it_can_show_before_it_opens_the_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cost: 9 sets given; give one to 8"):
        cost.load(CostConfig(sets=ABSENT, store=str(tmp_path / "absent")))
