"""The comparison: read the sets → compare them → write the page and show artifacts in the Prefect UI."""

from typing import NamedTuple

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.config.compare import CompareConfig
from flows.runtime.completion import keeps_outcome
from flows.setup.compare import load, write
from tasks.scaling.comparison import Comparison
from tasks.steps.artifacts import show_comparison

read = task(name="compare: coverage, differences, crossings", cache_policy=NO_CACHE)(load)
report = task(name="report: page, figures and tables", cache_policy=NO_CACHE)(write)


class CompareResult(NamedTuple):
    """The comparison, and the page's URL; None if only files were compared and no place was named."""

    comparison: Comparison
    page: str | None


@flow(name="compare", flow_run_name="compare")
@keeps_outcome
def compare(config: CompareConfig) -> CompareResult:
    """Compare stored sets or tables of counts."""
    compared = read(config)
    files = report(config, compared)
    show_comparison(compared.comparison, files)
    return CompareResult(compared.comparison, None if files is None else files.page)
