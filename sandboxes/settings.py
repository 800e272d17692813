"""The settings that all sandboxes share: the number of concurrent executions, their limits, and the Python."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandboxes import Limits
from sandboxes.linux.interpreter import find_interpreter

# The largest values that clocks and resource limits accept, in practice no limit.
_MAX_CPU_S, _MAX_MEMORY_MB = 5e5, 1 << 30
_MIN_DIGITS = 640


@dataclass(frozen=True, slots=True)
class EffectiveLimits:
    """The limits of an execution: its `Limits`, with the settings for those that are None. The units are the same."""

    cpu_s: float
    wall_s: float
    memory_mb: int
    processes: int
    output_bytes: int


class ExecutionSettings(BaseModel):
    """The settings that all sandboxes share."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="Executions that run at once; default: one per core."
    )
    time_limit_s: float = Field(5.0, gt=0, description="CPU seconds per execution, for problems that set no limit.")
    time_multiplier: float = Field(
        1.0, gt=0, description="Factor applied to every time limit, including the problems' own."
    )
    memory_limit_mb: int = Field(
        512, ge=32, description="Megabytes of memory per execution, for problems that set no limit."
    )
    processes: int = Field(32, ge=1, description="Processes and threads that an execution may have at once.")
    output_limit_bytes: int = Field(
        4 * 1024 * 1024, ge=1, description="Bytes an execution may write to stdout, to stderr and to any file."
    )
    int_max_str_digits: int = Field(
        0,
        ge=0,
        description="Digits of the longest integer that a program may convert to or from text; 0: any number, as "
        "contests and benchmarks allow. Python's own default is 4300, and its smallest limit 640.",
    )
    python: Path | None = Field(
        None,
        description="Interpreter that runs the samples, with its installed packages; default: the base Python of "
        "this environment, with only the standard library.",
    )

    @field_validator("int_max_str_digits")
    @classmethod
    def _accepted_by_python(cls, digits: int) -> int:
        if 0 < digits < _MIN_DIGITS:
            raise ValueError(f"must be 0 or at least {_MIN_DIGITS}")
        return digits

    def python_options(self) -> tuple[str, ...]:
        """Command-line options for the Python that runs the samples."""
        return ("-X", f"int_max_str_digits={self.int_max_str_digits}")

    def effective(self, limits: Limits) -> EffectiveLimits:
        """These limits, completed from the settings."""
        cpu_s = min((limits.cpu_s or self.time_limit_s) * self.time_multiplier, _MAX_CPU_S)
        return EffectiveLimits(
            cpu_s=cpu_s,
            wall_s=3 * cpu_s + 5 if limits.wall_s is None else limits.wall_s,
            memory_mb=min(limits.memory_mb or self.memory_limit_mb, _MAX_MEMORY_MB),
            processes=limits.processes or self.processes,
            output_bytes=self.output_limit_bytes if limits.output_bytes is None else limits.output_bytes,
        )

    def ingredients(self) -> dict[str, object]:
        """The settings that verdicts depend on: the limits and the Python, but not the choice of the sandbox."""
        settings = self.model_dump(mode="json", include=set(ExecutionSettings.model_fields) - {"workers"})
        version = platform.python_version() if self.python is None else find_interpreter(self.python).version
        return {**settings, "python_version": version}

    def worker_count(self) -> int:
        """The number of executions that run concurrently."""
        return self.workers or len(os.sched_getaffinity(0))
