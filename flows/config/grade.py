"""The configurations of grading samples in files."""

from pathlib import Path

from pydantic import Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.config import Config


class GradeConfig(Config):
    """The programs to grade, their tests, the sandbox, and where the verdicts are written."""

    problems: Path = Field(
        description='JSONL file of {"id", "tests": [{"input", "output"}]}, and limits if a problem has its own'
    )
    samples: Path = Field(description='JSONL file of {"problem_id", "index", "text"}; text is the program')
    output: Path = Field(description="JSONL file to write: a verdict on each sample, in the same order")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where the programs run")
    extract_code: bool = Field(
        default=False,
        description="Take the program from a sample's text as the grader stdio does: without thinking, and of several"
        " Markdown fences the last complete program",
    )
    all_tests: bool = Field(default=False, description="Run all tests of a program, even after one has failed")


class GradeDatasetConfig(Config):
    """The samples to grade, the dataset that their problems are in, the grader, and where the verdicts are written."""

    dataset: DatasetConfig = Field(description="The problems")
    samples: Path = Field(description='JSONL file of {"problem_id", "text"}, and "index" if it matters')
    output: Path = Field(description="JSONL file to write: a verdict on each sample, in the same order")
    grader: GraderConfig | None = Field(default=None, description="The grader; empty: the usual one of the dataset")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where the grader runs programs, if any")
