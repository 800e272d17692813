"""Runs a comparison from its configuration, and decides where its page is written."""

from flows.config.compare import CompareConfig
from tasks.costs.comparison import CostComparison
from tasks.errors import UserError
from tasks.report.comparison.load import compared, is_file
from tasks.report.comparison.publish import ComparisonFiles, folder_of, publish
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import compared_by_cost
from tasks.scaling.comparison import Comparison
from tasks.store.fsspec_store import FsspecStore


def load(config: CompareConfig) -> Comparison:
    """Read the sets and compare them.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
    """
    return compared(config.sets, config.verdicts, lambda: _readable(config.store))


def write(config: CompareConfig, comparison: Comparison) -> ComparisonFiles | None:
    """Write the page to the named place, or else to the store; None if only files are compared and no place is named.

    Raises:
        UserError: the place cannot be written.
    """
    if config.output is not None:
        place, folder = FsspecStore(config.output), ""
    elif all(map(is_file, config.sets)):
        return None
    else:
        place, folder = FsspecStore(config.store), folder_of(comparison)
    place.probe()
    return publish(place, folder, comparison, config.to_yaml(), _costs(config))


def _costs(config: CompareConfig) -> CostComparison | str:
    """The sets by cost, in dollars where all have a price and else in tokens; or why they cannot be compared so."""
    try:
        return compared_by_cost(config.sets, config.verdicts, lambda: _readable(config.store), Rules())
    except UserError as error:
        return str(error)


def _readable(url: str) -> FsspecStore:
    store = FsspecStore(url)
    store.check_readable()
    return store
