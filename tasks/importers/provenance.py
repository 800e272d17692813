"""The provenance of imported samples, in a file next to them: SAMPLES.provenance.json.

It contains the SHA-256 of the samples and is refused next to any others. Engine `recorded` makes it part of the
ingredients of the sample set.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.errors import UserError

_NOT_OF_SAMPLES = ("samples", "files", "graded_by", "questions")


def provenance_path(samples: Path) -> Path:
    """Where the provenance of a file of samples is."""
    return samples.with_name(f"{samples.name}.provenance.json")


def read_provenance(samples: Path, sha256: str) -> dict[str, Any] | None:
    """The provenance of a file of samples whose content has this digest; None if there is none next to it.

    Raises:
        UserError: it cannot be read, or belongs to other samples.
    """
    document = _document(samples)
    if document is None:
        return None
    if document.get("samples") != sha256:
        raise UserError(
            f"{provenance_path(samples)}: belongs to other samples than those in {samples}; import them again, or"
            " remove it"
        )
    return of_samples(document)


def read_questions(samples: Path) -> dict[str, str]:
    """The questions or prompts of a file of samples, by problem, where its provenance has them.

    Raises:
        UserError: it cannot be read.
    """
    questions = (_document(samples) or {}).get("questions")
    if not isinstance(questions, dict):
        return {}
    return {problem: question for problem, question in questions.items() if isinstance(question, str)}


def of_samples(known: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a provenance that samples depend on: without file names, and without what graded them."""
    return {name: value for name, value in known.items() if name not in _NOT_OF_SAMPLES}


def _document(samples: Path) -> dict[str, Any] | None:
    file = provenance_path(samples)
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{file}: cannot be read ({' '.join(str(error).split())}); import again, or remove it"
        ) from error
    return document if isinstance(document, dict) else {}
