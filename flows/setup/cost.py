"""Runs a comparison by cost from its configuration."""

from collections.abc import Sequence
from pathlib import Path

from flows.config.cost import CostConfig
from flows.setup.picking import from_files, from_store, selector
from tasks.costs.comparison import CostComparison, require_number_of_sets
from tasks.report.comparison.load import is_file, read_sets
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import Delivery, compared_by_cost
from tasks.selection import Outcomes
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.opening import readable_store


def load(config: CostConfig) -> CostComparison:
    """Read the sets and compare them by cost.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
    """
    require_number_of_sets(len(config.sets))
    rules = Rules(config.measure, config.prompts, config.batch, config.prices, config.configs, config.parameters)
    return compared_by_cost(
        read_sets(config.sets, config.verdicts, lambda: readable_store(config.store)),
        rules,
        reach=config.reach,
        budget=config.budget,
        delivery=None if config.by is None else _delivery(config, config.by),
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


def _delivery(config: CostConfig, by: str) -> Delivery:
    chosen = selector(by)
    needed = [need.score for need in chosen.needs if need.score]

    def outcomes(name: str) -> tuple[Sequence[Outcomes], Sequence[str]]:
        if is_file(name):
            read = from_files([Path(name)], None, None, score_names=needed)
        else:
            read = from_store(config.store, name, config.verdicts, None)
        return read.problems, read.notes

    return Delivery(chosen, outcomes)
