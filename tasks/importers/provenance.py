"""What is known of how imported samples were drawn, in a file beside them: SAMPLES.provenance.json.

It names the samples by their SHA-256: beside others it is refused. Engine `recorded` makes it part of what the sample
set depends on.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.errors import UserError

_NOT_OF_SAMPLES = ("samples", "files", "graded_by")


def beside(samples: Path) -> Path:
    """Where the provenance of a file of samples is."""
    return samples.with_name(f"{samples.name}.provenance.json")


def read_provenance(samples: Path, sha256: str) -> dict[str, Any] | None:
    """What is known of a file of samples whose content has this digest; None where there is no provenance beside it.

    Raises:
        UserError: it cannot be read, or is of other samples.
    """
    file = beside(samples)
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: cannot be read ({' '.join(str(error).split())}); import again, or remove it"
        ) from error
    if not isinstance(document, dict) or document.get("samples") != sha256:
        raise UserError(f"{file}: is of other samples than {samples} holds; import them again, or remove it")
    return of_samples(document)


def of_samples(known: Mapping[str, Any]) -> dict[str, Any]:
    """What samples depend on, of what is known of them: neither the names of files, nor who judged them."""
    return {name: value for name, value in known.items() if name not in _NOT_OF_SAMPLES}
