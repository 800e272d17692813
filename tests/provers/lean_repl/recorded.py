"""Real replies of Lean's REPL and of Kimina servers, where the folder with them is there."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[4] / "shared/data/lean"
needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/lean is absent")


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
