"""The paper's subsets: which rows of the test splits, with the hash of each question where it is known.

Row numbers say nothing by themselves: a copy of the dataset in another order, or of another edition, would give other
problems under the same numbers. So a subset is only given of a split with the right number of rows, and where the text
of a row is known, it must have the hash that is kept here (null where it is not known). All of GSM8K and MATH are
known, and four of CodeContests, where the rows that show no image must be the paper's as well.
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
    """The rows of the paper's subset, once it is sure that the questions are those of the whole split in its order.

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
