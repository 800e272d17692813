"""What a person writes to have programs in files graded."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from flows.config.choices import SandboxConfig
from sandboxes.bubblewrap import BubblewrapConfig


class GradeConfig(BaseModel):
    """Which programs are judged, on which tests, where, and where the verdicts go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: Path = Field(description='JSONL file of {"id", "tests": [{"input", "output"}]}, limits if there are any')
    samples: Path = Field(description='JSONL file of {"problem_id", "index", "text"}; text is the program')
    output: Path = Field(description="JSONL file to be written: a verdict on each sample, in their order")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where the programs run")
    all_tests: bool = Field(default=False, description="Run all tests of a program, also after one that it failed")
