"""Runs a comparison from its configuration, and decides where its page is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from flows.config.compare import CompareConfig
from flows.setup.picking import from_store
from tasks.costs.comparison import CostComparison
from tasks.errors import UserError
from tasks.report.comparison.delivery import Delivered, delivered
from tasks.report.comparison.load import NamedCounts, compared, is_file, read_sets
from tasks.report.comparison.publish import ComparisonFiles, folder_of, publish
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import Delivery, compared_by_cost
from tasks.report.picking.outcomes import Prepared
from tasks.scaling.comparison import Comparison, require_number_of_sets
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.opening import readable_store


@dataclass(frozen=True, slots=True)
class Compared:
    """The sets as they were read, and their comparison."""

    sets: tuple[NamedCounts, ...]
    comparison: Comparison


def load(config: CompareConfig) -> Compared:
    """Read the sets and compare them.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
    """
    require_number_of_sets(len(config.sets))
    sets = read_sets(config.sets, config.verdicts, lambda: readable_store(config.store))
    return Compared(sets, compared(sets))


def write(config: CompareConfig, of: Compared) -> ComparisonFiles | None:
    """Write the page to the named place, or else to the store; None if only files are compared and no place is named.

    Raises:
        UserError: the place cannot be written.
    """
    if config.output is not None:
        place, folder = FsspecStore(config.output), ""
    elif all(map(is_file, config.sets)):
        return None
    else:
        place, folder = FsspecStore(config.store), folder_of(of.comparison)
    place.probe()
    read = cache(lambda name: from_store(config.store, name, config.verdicts, None))
    costs, picked = _costs(of.sets), delivered(of.sets, read)
    to_deliver = _costs_to_deliver(of.sets, costs, picked, read)
    return publish(place, folder, of.comparison, config.to_yaml(), costs, delivered=picked, delivered_costs=to_deliver)


def _costs_to_deliver(
    sets: Sequence[NamedCounts],
    costs: CostComparison | str,
    picked: Delivered | str,
    read: Callable[[str], Prepared],
) -> CostComparison | str:
    """The sets by what the best way of picking delivers, in the unit of `costs`, with what its scorer used; or why they
    cannot be compared so, empty where one of the two is not known."""
    if isinstance(costs, str) or isinstance(picked, str) or picked.best is None:
        return ""
    # What was left out of the samples is said where they are shown.
    delivery = Delivery(picked.best, lambda name: (read(name).problems, ()))
    try:
        return compared_by_cost(sets, Rules(measure=costs.measure), delivery=delivery)
    except UserError as error:
        return str(error)


def _costs(sets: Sequence[NamedCounts]) -> CostComparison | str:
    """The sets by cost, in dollars where all have a price and else in tokens; or why they cannot be compared so."""
    try:
        return compared_by_cost(sets, Rules())
    except UserError as error:
        return str(error)
