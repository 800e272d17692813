"""What happens in which order: Prefect flows, the sweep's configuration, and the command that runs them."""

from importlib.util import find_spec
from pathlib import Path

DEFAULT_STORE = "./runs"
"""Where results are stored unless a store is named."""


def _require_own_tasks() -> None:
    """A worker or a test run may start in a folder with another package called tasks, which hides this project's."""
    spec = find_spec("tasks")
    places = [] if spec is None else list(spec.submodule_search_locations or [spec.origin or ""])
    if Path(__file__).resolve().parent.with_name("tasks") not in (Path(place).resolve() for place in places):
        where = places[0] if places else "not found"
        raise ImportError(f"another package called tasks ({where}) hides this project's; start from another folder")


_require_own_tasks()
