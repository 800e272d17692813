"""128 small programming problems of this project, graded on stdin and stdout; none occurs in the bundled training.

`tasks.datasets.synthetic.program_problems` generated them; they are in the file next to it.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from sandboxes.config import Config
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.records import LabelledSample, Problem, StdioCheck, StdioTest


class ProgramsDataset(Config):
    """Short Python programs for a described transformation of a list of integers."""

    template: ClassVar[str] = "programs"
    grader: ClassVar[str] = "stdio"
    graders: ClassVar[tuple[str, ...]] = ("stdio", "stdio_exact", "code_contests")
    # The model may continue with another task.
    stop: ClassVar[tuple[str, ...]] = ("\nTask:", "Task:")
    # About twice the longest reference program.
    max_tokens: ClassVar[int] = 224

    name: Literal["programs"] = "programs"

    def load(self) -> list[Problem]:
        """All problems in their fixed order."""
        return [
            Problem(
                row["id"],
                row["question"],
                StdioCheck(tuple(StdioTest(test["stdin"], test["stdout"]) for test in row["tests"])),
            )
            for row in held_out_rows("programs")
        ]

    def solutions(self) -> Iterator[LabelledSample]:
        """The generator's own programs."""
        return (LabelledSample(row["id"], row["program"]) for row in held_out_rows("programs"))
