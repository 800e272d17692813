"""The paper's subsets: which rows of the test splits, with the hash of each question where it is known.

Row numbers alone do not identify problems: a copy in another order, or another version of a dataset, has other problems
in the same rows. So a subset is only taken from a split with the right number of rows, in which the questions have the
hashes that are kept here (null where the text is not known). They are known for all of GSM8K and MATH, and for four
problems of CodeContests, where the rows without images must also be the paper's.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from tasks.errors import UserError


class Subset(NamedTuple):
    """Rows of a split (from 0) in the paper's order, the number of rows that the whole split has, and SHA-256 hashes of
    the questions' texts (UTF-8), by row, where they are known."""

    rows: tuple[int, ...]
    of: int
    hashes: dict[int, str]


@cache
def subset(name: str) -> Subset:
    """The paper's subset of a dataset: gsm8k, math or code_contests."""
    text = resources.files(__package__).joinpath("paper_subsets.json").read_text(encoding="utf-8")
    known = json.loads(text)[name]
    hashes = zip(known["rows"], known["sha256"], strict=True)
    return Subset(tuple(known["rows"]), known["of"], {row: text for row, text in hashes if text is not None})


def check(name: str, questions: Sequence[str], where: str) -> tuple[int, ...]:
    """The rows of the paper's subset, after a check that the questions are those of the whole split in its order.

    Raises:
        UserError: they are not.
    """
    paper = subset(name)
    if len(questions) != paper.of:
        raise UserError(
            f"dataset.subset: the paper's problems are rows of the whole {name} test split, {paper.of:,} rows; {where}"
            f" has {len(questions):,}"
        )
    for row, expected in paper.hashes.items():
        if hashlib.sha256(questions[row].encode()).hexdigest() != expected:
            raise UserError(
                f"dataset.subset: row {row + 1} of {where} is not the paper's problem (its hash is not"
                f" {expected[:12]}…); take the split in its original order"
            )
    return paper.rows
