"""Prefect flows, the configurations that users write, and the command line."""

from importlib.util import find_spec
from pathlib import Path

DEFAULT_STORE = "./runs"
"""Where results are stored by default."""


def _require_own_tasks() -> None:
    """Fail if another package called tasks hides this project's, as in a worker or a test run that starts in its
    folder."""
    spec = find_spec("tasks")
    places = [] if spec is None else list(spec.submodule_search_locations or [spec.origin or ""])
    if Path(__file__).resolve().parent.with_name("tasks") not in (Path(place).resolve() for place in places):
        where = places[0] if places else "not found"
        raise ImportError(f"another package called tasks ({where}) hides this project's; start from another folder")


_require_own_tasks()
