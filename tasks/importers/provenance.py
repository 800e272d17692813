"""What is known of how imported samples were drawn, in a file beside them: SAMPLES.provenance.json.

It names the samples by their SHA-256: beside others it is refused. Engine `recorded` makes it part of what the sample
set depends on.
"""

import json
from pathlib import Path
from typing import Any

from tasks.errors import InputError

_ABOUT_FILES = ("samples", "files")


def beside(samples: Path) -> Path:
    """Where the provenance of a file of samples is."""
    return samples.with_name(f"{samples.name}.provenance.json")


def read_provenance(samples: Path, sha256: str) -> dict[str, Any] | None:
    """What is known of a file of samples whose content has this digest, without the names of files; None where there is
    no provenance beside it.

    Raises:
        InputError: it cannot be read, or is of other samples.
    """
    file = beside(samples)
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{file}: cannot be read ({' '.join(str(error).split())}); import again, or remove it"
        ) from error
    if not isinstance(document, dict) or document.get("samples") != sha256:
        raise InputError(f"{file}: is of other samples than {samples} holds; import them again, or remove it")
    return {name: value for name, value in document.items() if name not in _ABOUT_FILES}
