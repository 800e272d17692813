"""96 small theorems of this project in Rocq; none occurs in the bundled training.

`tasks.datasets.synthetic.theorem_problems` generated them; they are in the file next to it, with proofs that Rocq has
accepted and that a model does not see.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from sandboxes.config import Config
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.synthetic.theorem_text import NAME
from tasks.records import LabelledSample, Problem, TheoremCheck


class TheoremsDataset(Config):
    """Small theorems to prove in Rocq: logic, booleans, lists, natural numbers and integers."""

    template: ClassVar[str] = "theorems"
    grader: ClassVar[str] = "proof"
    graders: ClassVar[tuple[str, ...]] = ("proof",)
    # The model may end the proof itself, and continue with another theorem.
    stop: ClassVar[tuple[str, ...]] = ("Qed.", "Defined.", "Admitted.", "\nTheorem ")
    # Longer than the longest reference proof.
    max_tokens: ClassVar[int] = 200

    name: Literal["theorems"] = "theorems"

    def load(self) -> list[Problem]:
        """All problems in their fixed order."""
        return [
            Problem(
                row["id"],
                f"{row['header']}\n\n{row['statement']}",
                TheoremCheck("rocq", row["header"], NAME, row["statement"]),
            )
            for row in held_out_rows("theorems")
        ]

    def solutions(self) -> Iterator[LabelledSample]:
        """The generator's own proofs."""
        return (LabelledSample(row["id"], row["proof"]) for row in held_out_rows("theorems"))
