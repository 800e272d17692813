"""How imported samples were drawn, in a file next to them: SAMPLES.provenance.json.

It names the samples by their SHA-256: next to other samples it is refused. Engine `recorded` makes it part of the
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
    """What is known of a file of samples whose content has this digest; None if there is no provenance next to it.

    Raises:
        UserError: it cannot be read, or is of other samples.
    """
    document = _document(samples)
    if document is None:
        return None
    if document.get("samples") != sha256:
        raise UserError(
            f"{provenance_path(samples)}: is of other samples than {samples} holds; import them again, or remove it"
        )
    return of_samples(document)


def read_questions(samples: Path) -> dict[str, str]:
    """What was asked, by problem, if there is provenance next to a file of samples that says so.

    Raises:
        UserError: it cannot be read.
    """
    questions = (_document(samples) or {}).get("questions")
    if not isinstance(questions, dict):
        return {}
    return {problem: question for problem, question in questions.items() if isinstance(question, str)}


def of_samples(known: Mapping[str, Any]) -> dict[str, Any]:
    """What samples depend on, of what is known of them: not file names, nor who graded them."""
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
