"""Small files in the forms that datasets ship in."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def written(path: Path, rows: Rows) -> str:
    """Write rows in the form that the file's name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(lines.encode()))
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text(json.dumps(rows) if path.suffix == ".json" else lines, encoding="utf-8")
    return str(path)


def on_the_hub(folder: Path, name: str, splits: dict[str, Rows], configs: Sequence[str | None] = ()) -> None:
    """Lay out a dataset as the hub has it. The library takes a folder of its name in the working directory for it."""
    root = folder / name
    listed = []
    for config in configs or ("",):
        for split, rows in splits.items():
            file = f"{config}/{split}-00000-of-00001.parquet".lstrip("/")
            written(root / file, [{**row, "config": config} for row in rows])
        data = "".join(
            f"  - split: {split}\n    path: {f'{config}/' if config else ''}{split}-*.parquet\n" for split in splits
        )
        listed.append(f"- config_name: {config or 'default'}\n  data_files:\n{data}")
    (root / "README.md").write_text("---\nconfigs:\n" + "".join(listed) + "---\n")
