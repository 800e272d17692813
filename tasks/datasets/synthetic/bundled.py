"""The held-out problems of the generated datasets, as JSON Lines next to this file.

The files are committed, so that a sweep does not run the generator, and its problems cannot change unnoticed.
"""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any


def held_out_rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of one dataset, in order."""
    text = resources.files(__package__).joinpath(f"{name}.jsonl").read_text(encoding="utf-8")
    return map(json.loads, text.splitlines())
