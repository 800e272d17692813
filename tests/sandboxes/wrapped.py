"""A sandbox around another one, for tests to override what they change."""

from dataclasses import dataclass
from typing import Self

from sandboxes import CheckedOutcome, Limits, Outcome, Sandbox


@dataclass
class WrappedSandbox:
    """Runs everything in `inner`, with two workers. Whoever opened `inner` closes it."""

    inner: Sandbox
    name: str = "wrapped"
    workers: int = 2
    memory_bound: str = ""

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        return self.inner.run(program, stdin, limits)

    def run_checked(
        self, checker: str, program: str, limits: Limits, *, reusable_process: bool = False
    ) -> CheckedOutcome:
        return self.inner.run_checked(checker, program, limits, reusable_process=reusable_process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass
