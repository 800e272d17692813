"""Model files: the bundled models, and a hash that identifies a model by its content."""

import hashlib
from collections.abc import Collection
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled"


def bundled_models() -> list[str]:
    """Names of the models that the package contains, sorted."""
    return sorted(folder.name for folder in BUNDLED.iterdir() if folder.is_dir())


def fingerprint(folder: Path, ignored: Collection[str] = (".md",)) -> str:
    """The SHA-256 (hexadecimal) of a model's files, leaving out hidden ones and those with an ignored suffix."""
    content = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in ignored and not path.name.startswith("."):
            with path.open("rb") as file:
                content.update(f"{path.name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return content.hexdigest()
