"""Writes predictions for SWE-bench: the files that `tasks.importers.swe_bench` reads."""

import json
from collections.abc import Iterable
from pathlib import Path

from tasks.errors import UserError
from tasks.files.atomic import replacing


def check_output(path: Path) -> None:
    """Raise UserError where a path does not have the name of a file of predictions."""
    if path.suffix not in {".json", ".jsonl"}:
        raise UserError(f"--output {path}: ends in neither .json (as preds.json does) nor .jsonl (as all_preds.jsonl)")
    if path.is_dir():
        raise UserError(f"--output {path}: is a folder")


def write_predictions(patches: Iterable[tuple[str, str]], model_name: str, path: Path) -> None:
    """Write issues' ids and their patches: as one object by issue, or by the suffix .jsonl as a line for each.

    Raises:
        UserError: the file cannot be written, or has another suffix; there is no file then, or still the old one.
    """
    check_output(path)
    listed = [
        {"instance_id": issue, "model_name_or_path": model_name, "model_patch": patch} for issue, patch in patches
    ]
    if path.suffix == ".json":
        text = json.dumps({each["instance_id"]: each for each in listed}, indent=2) + "\n"
    else:
        text = "".join(json.dumps(each) + "\n" for each in listed)
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output {path}: cannot be written ({error.strerror or error})") from error
