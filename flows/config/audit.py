"""What a person writes to have graders or tests audited."""

from pathlib import Path

from pydantic import ConfigDict, Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.fields import WithOldNames
from sandboxes.bubblewrap import BubblewrapConfig


class _AuditConfig(WithOldNames):
    """Whose tests and samples are looked at, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: DatasetConfig = Field(description="Whose graders, gold answers, tests and solutions")
    problems: int | None = Field(default=None, ge=1, description="Only the first so many problems; empty: all")
    labelled: str | None = Field(default=None, description="File of problem_id, text, correct; empty: none")
    each: int = Field(default=10, ge=1, description="At most so many known solutions of a problem, right and wrong")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")


class AuditGradersConfig(_AuditConfig):
    """Which graders are held against which samples."""

    grader: GraderConfig | None = Field(default=None, description="Only this grader; empty: all of the dataset")


class AuditTestsConfig(_AuditConfig):
    """Which problems' tests are held against which programs, how often, and where the list of bad ones goes."""

    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the usual grader of the dataset"
    )
    repeats: int = Field(default=3, ge=1, le=100, description="How often each program is judged")
    output: Path | None = Field(default=None, description="Write the problems to leave out to this file")
