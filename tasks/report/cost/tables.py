"""The numbers of a comparison by cost as CSV text."""

from collections.abc import Sequence

from tasks.costs.comparison import CostComparison
from tasks.report.cost.of_sweep import SweepCost
from tasks.report.cost.phrases import amount
from tasks.report.sweep.tables import to_csv
from tasks.scaling.summary import percent


def csv_files(of: CostComparison) -> dict[str, str]:
    """Every table, by the name of its file."""
    mixed = {"mixtures.csv": mixtures_csv(of)} if of.mixed else {}
    return {"frontier.csv": frontier_csv(of), "costs.csv": costs_csv(of), **mixed}


def costs_csv(of: CostComparison) -> str:
    """`set,k,cost,accuracy,low,high,per_solved,per_point`: every set at every k that was evaluated, with an interval
    over problems. Costs are for all problems, in the unit of the comparison."""
    return to_csv(
        ("set", "k", f"cost_{of.measure.value}", "accuracy", "low", "high", "per_solved", "per_point"),
        (
            (each.label, point.k, point.cost, point.accuracy, point.low, point.high, point.per_solved, point.per_point)
            for each in of.sets
            for point in each.curve
        ),
    )


def frontier_csv(of: CostComparison) -> str:
    """`set,k,cost,accuracy,low,high,share`: the options on the frontier, cheapest first; in `share` of the resamples
    the set solves most within this cost."""
    return to_csv(
        ("set", "k", f"cost_{of.measure.value}", "accuracy", "low", "high", "share"),
        (
            (*point.option.parts[0], point.option.cost, point.option.accuracy, point.low, point.high, point.share)
            for point in of.frontier
        ),
    )


def mixtures_csv(of: CostComparison) -> str:
    """`set,k,other,k_other,cost,accuracy,low,high,alone`: the mixtures on the frontier, cheapest first, with an
    interval over problems; `alone` is the most that one set solves at this cost."""
    return to_csv(
        ("set", "k", "other", "k_other", f"cost_{of.measure.value}", "accuracy", "low", "high", "alone"),
        (
            (
                *(field for part in point.option.parts for field in part),
                *(point.option.cost, point.option.accuracy, point.low, point.high, point.alone),
            )
            for point in of.mixed
        ),
    )


def sweep_cost_rows(of: Sequence[SweepCost]) -> list[dict[str, str]]:
    """A row for each unit and k, with text in the cells, for a table in the Prefect UI."""
    return [
        {
            "unit": each.measure.value,
            "k": f"{row.point.k:,}",
            "cost": amount(row.point.cost, each.measure),
            "solved": percent(row.point.accuracy),
            "per problem solved": amount(row.point.per_solved, each.measure),
            "per further problem": amount(row.point.per_further, each.measure),
            "per point": amount(row.point.per_point, each.measure),
            "per right answer": amount(row.per_delivered, each.measure),
        }
        for each in of
        for row in each.rows
    ]


def sweep_costs_csv(of: Sequence[SweepCost]) -> str:
    """`unit,k,cost,accuracy,low,high,per_solved,per_further,per_point,per_delivered`: what the samples of one sweep
    cost at round k, in every unit that is known."""
    return to_csv(
        ("unit", "k", "cost", "accuracy", "low", "high", "per_solved", "per_further", "per_point", "per_delivered"),
        (
            (
                *(each.measure.value, row.point.k, row.point.cost, row.point.accuracy, row.point.low, row.point.high),
                *(row.point.per_solved, row.point.per_further, row.point.per_point, row.per_delivered),
            )
            for each in of
            for row in each.rows
        ),
    )
