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
    try:
        return read_counts(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{file}: cannot be read ({reason}); give a CSV file of problem,samples,correct") from error
