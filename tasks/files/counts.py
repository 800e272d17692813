"""Counts from a CSV file that a person names."""

from pathlib import Path

from tasks.errors import UserError
from tasks.scaling.counts_csv import read_counts
from tasks.scaling.estimators import Counts


def read_counts_file(file: Path) -> Counts:
    """The counts in a file with columns problem, samples and correct.

    Raises:
        UserError: it cannot be read, is not UTF-8, or `read_counts` finds a fault in it.
    """
    return read_counts(counts_text(file), str(file))


def counts_text(file: Path) -> str:
    """The text of such a file; raises UserError where it cannot be read or is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{file}: cannot be read ({reason}); give a CSV file of problem,samples,correct") from error
