"""Where this project's packages are imported from.

`flows`, `tasks` and `sandboxes` are common names: a folder or module called `tasks` in the current directory or on
PYTHONPATH can hide this project's package.
"""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("flows", "tasks", "sandboxes")
_PARENT = Path(__file__).resolve().parent.parent


def require_one_parent() -> None:
    """Make sure that all packages of this project come from one folder. Imports none of them.

    Raises:
        ImportError: another package has the name of one of them; the message is one line with its path.
    """
    for name in PACKAGES:
        spec = find_spec(name)
        places = [] if spec is None else list(spec.submodule_search_locations or [spec.origin or ""])
        if _PARENT / name not in (Path(place).resolve() for place in places):
            where = places[0] if places else "not found"
            raise ImportError(
                f"another package called {name} ({where}) hides this project's; start from another folder", name=name
            )
