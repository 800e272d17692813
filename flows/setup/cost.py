"""Runs a comparison by cost from its configuration."""

from flows.config.cost import CostConfig
from tasks.costs.comparison import CostComparison
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import compared_by_cost
from tasks.store.fsspec_store import FsspecStore


def load(config: CostConfig) -> CostComparison:
    """Read the sets and compare them by cost.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
    """
    rules = Rules(config.measure, config.prompts, config.batch, config.prices, config.configs, config.parameters)
    return compared_by_cost(
        config.sets,
        config.verdicts,
        lambda: _readable(config.store),
        rules,
        reach=config.reach,
        budget=config.budget,
    )


def write(config: CostConfig, comparison: CostComparison) -> tuple[str, ...]:
    """Write the figure and the tables to the named place; returns their URLs, none where no place is named.

    Raises:
        UserError: the place cannot be written.
    """
    if config.output is None:
        return ()
    from tasks.report.cost.publish import publish  # loads matplotlib

    place = FsspecStore(config.output)
    place.probe()
    return publish(place, comparison)


def _readable(url: str) -> FsspecStore:
    store = FsspecStore(url)
    store.check_readable()
    return store
