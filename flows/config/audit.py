"""The configuration of an audit of graders or tests."""

from pathlib import Path

from pydantic import Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.fields import WithOldNames
from sandboxes.bubblewrap import BubblewrapConfig


class _AuditConfig(WithOldNames):
    """What every audit needs: the dataset, its problems, labelled samples, and a sandbox."""

    dataset: DatasetConfig = Field(description="The dataset whose graders, gold answers, tests and solutions are used")
    limit: int | None = Field(default=None, ge=1, description="Only the first N problems; empty: all")
    labelled: str | None = Field(
        default=None, description="File of labelled samples: problem_id, text, correct; empty: none"
    )
    max_solutions: int = Field(
        default=10, ge=1, description="Maximum known solutions per problem, of correct and of wrong ones"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")


class AuditGradersConfig(_AuditConfig):
    """An audit of graders."""

    grader: GraderConfig | None = Field(default=None, description="Only this grader; empty: all of the dataset's")


class AuditTestsConfig(_AuditConfig):
    """An audit of the tests of problems."""

    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the dataset's default grader"
    )
    repeats: int = Field(default=3, ge=1, le=100, description="How many times each program is graded")
    output: Path | None = Field(default=None, description="JSONL file to write the problems to exclude to")
