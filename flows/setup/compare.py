"""Runs a comparison from its configuration, and decides where its page is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.config.compare import CompareConfig
from flows.setup.picking import from_store
from tasks.costs.comparison import CostComparison
from tasks.errors import UserError
from tasks.report.comparison.delivery import Delivered, delivered
from tasks.report.comparison.load import NamedCounts, compared, is_file, read_sets
from tasks.report.comparison.publish import ComparisonFiles, folder_of, publish
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import compared_by_cost
from tasks.scaling.comparison import Comparison
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
    costs, picked = _costs(of.sets), _delivered(config, of.sets)
    return publish(place, folder, of.comparison, config.to_yaml(), costs, delivered=picked)


def _delivered(config: CompareConfig, sets: Sequence[NamedCounts]) -> Delivered | str:
    return delivered(sets, lambda name: from_store(config.store, name, config.verdicts, None))


def _costs(sets: Sequence[NamedCounts]) -> CostComparison | str:
    """The sets by cost, in dollars where all have a price and else in tokens; or why they cannot be compared so."""
    try:
        return compared_by_cost(sets, Rules())
    except UserError as error:
        return str(error)
