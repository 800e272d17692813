"""What a person writes to have graders or tests audited."""

from pathlib import Path

from pydantic import Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.fields import WithOldNames
from sandboxes.bubblewrap import BubblewrapConfig


class _AuditConfig(WithOldNames):
    """What every audit needs: the dataset, its problems, samples whose truth is known, and a sandbox."""

    dataset: DatasetConfig = Field(description="Whose graders, gold answers, tests and solutions")
    problems: int | None = Field(default=None, ge=1, description="Only the first N problems; empty: all")
    labelled: str | None = Field(
        default=None, description="File of labelled samples: problem_id, text, correct; empty: none"
    )
    max_solutions: int = Field(
        default=10, ge=1, description="At most this many known solutions of a problem, right and wrong"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")


class AuditGradersConfig(_AuditConfig):
    """Which graders are checked on which samples."""

    grader: GraderConfig | None = Field(default=None, description="Only this grader; empty: all of the dataset")


class AuditTestsConfig(_AuditConfig):
    """Which tests are checked on which programs, how many times, and where the list of bad problems is written."""

    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the usual grader of the dataset"
    )
    repeats: int = Field(default=3, ge=1, le=100, description="How many times each program is graded")
    output: Path | None = Field(default=None, description="Write the problems to leave out to this file")
