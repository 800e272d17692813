"""Distributions with plug-ins, as an installer would leave them in a folder that is put on PYTHONPATH."""

from pathlib import Path


def install(
    folder: Path, modules: dict[str, str], entry_points: str, name: str = "strange", version: str = "0.3"
) -> str:
    """Write modules and the metadata of a distribution into a folder; returns the folder."""
    for path, text in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(entry_points)
    return str(folder)
