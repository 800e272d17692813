"""The contract of budgets."""

from monkeys.testing.contract import check_class, require
from tasks.scaling.sequential_stopping import Plan
from tasks.sweep.budgets import Budget, StopsByVotes

KS = (1, 2, 3, 10, 99, 100, 10_000)
VOTES: tuple[tuple[int, ...], ...] = ((), (1,), (5,), (3, 3), (7, 1, 1), (50, 10))


def check_budget(budget: Budget) -> None:
    """Check that a budget's plans keep coverage unbiased: rounds that grow up to k, and limits of at least 1.

    Raises:
        ContractError: a promise is broken; the message says which.
    """
    check_class("budget", budget)
    require(isinstance(budget.gives_coverage, bool), "gives_coverage is not a bool")
    if isinstance(budget, StopsByVotes):
        require(not budget.gives_coverage, "gives_coverage is true, but votes decide how many samples a problem has")
        for votes in VOTES:
            require(isinstance(budget.settled(votes), bool), f"settled({votes}) is not a bool")
            require(budget.settled(votes) == budget.settled(votes), f"settled({votes}) is not the same twice")
    for k in KS:
        plan = budget.plan(k)
        require(isinstance(plan, Plan), f"plan({k}) returned {type(plan).__name__}, not a Plan")
        ends, limits = plan
        require(len(ends) == len(limits) > 0, f"plan({k}): {len(ends)} ends and {len(limits)} limits")
        require(all(type(each) is int for each in (*ends, *limits)), f"plan({k}): not all numbers are integers")
        require(list(ends) == sorted(set(ends)) and ends[0] >= 1, f"plan({k}): the ends {ends} do not grow from 1")
        require(ends[-1] == k, f"plan({k}) ends at {ends[-1]}")
        require(min(limits) >= 1, f"plan({k}): a limit below 1 makes coverage biased: {limits}")
        require(budget.plan(k) == plan, f"plan({k}) is not the same twice")
