"""Running sweeps."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.command_line.running import run_flow
from flows.config.fields import by_new_names
from flows.config.sweep import SweepConfig
from flows.config.yaml_file import build_config, read_yaml
from flows.setup.prepared import using_prepared
from flows.setup.sweep import prepare

if TYPE_CHECKING:
    from flows.sweep import SweepResult


def sweep(
    config: SweepConfig | Mapping[str, Any] | str | Path, *, show_progress: bool = True, **fields: Any
) -> "SweepResult":
    """Run a sweep: draw and grade the samples that are missing, and write its report. Run it again to resume, or with
    a larger k to extend.

        result = monkeys.sweep("my.yaml", k=200, sampling={"temperature": 0.8})
        print(result.summary.headline, result.publication.page)

    A Prefect server is not needed: without one, a temporary one is started, as on the command line.

    Args:
        config: a config, its fields, or the path of a sweep file.
        show_progress: show progress bars.
        fields: fields to set or replace. A mapping updates the fields that it names, unless it has a `name`: then it
            replaces the whole choice, as `engine={"name": "onnx", "model": "programs"}` does.

    Returns:
        The names of the two sets, how many samples this call drew, the summary, and where the report is.

    Raises:
        UserError: a file, a field or the store cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
        EngineFailedError, CapReachedError, StoreUnavailableError: the sweep stopped early; call it again to resume.
    """
    chosen = _config(config, fields)
    job = prepare(chosen)

    def load() -> "Callable[[SweepConfig], SweepResult]":
        from flows.sweep import sweep as flow  # Prefect takes seconds to import

        return flow

    console = Console(highlight=False, stderr=True) if show_progress else Console(file=io.StringIO())
    with using_prepared(chosen, job):
        return run_flow(console, load, chosen)


def _config(config: SweepConfig | Mapping[str, Any] | str | Path, fields: Mapping[str, Any]) -> SweepConfig:
    if isinstance(config, SweepConfig):
        if not fields:
            return config
        where, document = "sweep", config.model_dump(mode="json")
    elif isinstance(config, str | Path):
        where, document = str(config), read_yaml(Path(config))
    else:
        where, document = "sweep", by_new_names(dict(config))
    merged = {name: _merged(document.get(name), value) for name, value in by_new_names(dict(fields)).items()}
    return build_config(SweepConfig, document | merged, where=where)


def _merged(before: Any, value: Any) -> Any:
    if isinstance(before, str) and isinstance(value, Mapping):
        before = {"name": before}
    if isinstance(before, Mapping) and isinstance(value, Mapping) and "name" not in value:
        return {**before, **value}
    return value
