"""Distributions with plug-ins, laid out as an installer would, in a folder for PYTHONPATH."""

import subprocess
import sys
from pathlib import Path

from tests.flows.command import Ended, environment


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


def pytest_in(folder: Path, tests: str, **variables: str) -> Ended:
    """Run a plug-in's own tests, as its author does."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", tests]
    done = subprocess.run(
        command, check=False, cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=280
    )
    return Ended(done.returncode, done.stdout, done.stderr)
