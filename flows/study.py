"""A study: sweeps of several models, each in its own flow run → their comparison."""

from typing import NamedTuple

from prefect import flow

from flows.compare import CompareResult, compare
from flows.config.compare import CompareConfig
from flows.config.study import StudyConfig
from flows.runtime.completion import completed, keeps_outcome
from flows.sweep import SweepResult, sweep
from tasks.steps import blocks


class StudyResult(NamedTuple):
    """The result of each sweep, in order, and their comparison."""

    sweeps: tuple[SweepResult, ...]
    compared: CompareResult


@flow(name="study", flow_run_name="study of {config.label}", task_runner=blocks.grading_runner())
@keeps_outcome
def study(config: StudyConfig) -> StudyResult:
    """Run the sweeps one after another, then compare them."""
    sweeps = tuple(completed(sweep, each) for each in config.sweeps)
    return StudyResult(sweeps, completed(compare, _comparison(config, sweeps)))


def _comparison(config: StudyConfig, sweeps: tuple[SweepResult, ...]) -> CompareConfig:
    verdicts = {each.verdicts for each in sweeps}
    return CompareConfig(
        sets=tuple(each.samples for each in sweeps),
        # If all sweeps have the same verdict set's name, as when only the model differs, compare these verdicts.
        verdicts=verdicts.pop() if len(verdicts) == 1 else None,
        store=config.sweeps[0].store,
    )
