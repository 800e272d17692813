"""Judging programs in files: what is asked for, and the steps of it. It needs neither a store nor Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from flows.config import SandboxConfig
from sandboxes import SandboxUnavailableError
from sandboxes.batch import Batch
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.graders import Verdict
from tasks.graders.stdio import StdioConfig
from tasks.judging.inputs import check_samples, fingerprint, read_problems
from tasks.judging.verdict_file import VerdictFile
from tasks.progress import listener

# Failures of the sandbox in a row after which it is not expected to come back by itself.
_HOPELESS = 20


class JudgeConfig(BaseModel):
    """Which programs are judged, on which tests, where, and where the verdicts go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: Path = Field(description='JSONL file of {"id", "tests": [{"input", "output"}]}, limits if there are any')
    samples: Path = Field(description='JSONL file of {"problem_id", "index", "text"}; text is the program')
    output: Path = Field(description="JSONL file to be written: a verdict on each sample, in their order")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where the programs run")
    all_tests: bool = Field(default=False, description="Run all tests of a program, also after one that it failed")


class JudgeResult(NamedTuple):
    """What came of it: samples by verdict; of those, how many an earlier run had judged; and what this one did.

    `equal` programs were the same as another of their problem, which saved `saved` executions. `trouble` is what the
    sandbox failed of, as often as it did.
    """

    verdicts: dict[Verdict, int]
    earlier: int
    executions: int
    equal: int
    saved: int
    cpu_s: float
    sandbox: str
    memory_bound: str
    trouble: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether every sample has a verdict of its own making."""
        return not self.verdicts.get(Verdict.INFRASTRUCTURE)


def judge(config: JudgeConfig, say: Callable[[str], None]) -> JudgeResult:
    """Check everything, judge what has no verdict yet, and give the file its name. `say` is told what goes on.

    Raises:
        InputError: a file cannot be used; nothing was written.
        SandboxUnavailableError: this machine cannot offer the sandbox, or could not any more; the verdicts till then
            are kept.
    """
    config.sandbox.check()
    problems = read_problems(config.problems)
    say(f"reading {config.samples}")
    samples = check_samples(config.samples, problems)
    grader = StdioConfig()
    how = {"sandbox": config.sandbox.name, "all_tests": config.all_tests, grader.name: grader.version}
    work = fingerprint(problems, samples, {**config.sandbox.ingredients(), **how})
    with config.sandbox.open() as sandbox, VerdictFile(config.output, samples, work) as verdicts:
        batch = Batch(sandbox, stop_early=not config.all_tests)
        owed, cpu_s = verdicts.owed, 0.0
        trouble: dict[str, int] = {}
        in_a_row = 0
        todo = f"{_counted(samples.count, 'program')} for {_counted(len(problems), 'problem')}"
        say(f"{todo}, in {sandbox.name}, {sandbox.workers} at once")
        if owed < samples.count:
            say(f"{samples.count - owed:,} of them were judged before; going on from there")
        listener.get().plan("verdicts", owed)
        for judgement in verdicts.judge(problems, batch):
            listener.get().advance("verdicts", 1)
            cpu_s += judgement.cpu_s
            if judgement.verdict is Verdict.INFRASTRUCTURE:
                in_a_row += 1
                trouble[judgement.detail] = trouble.get(judgement.detail, 0) + 1
            elif judgement.cpu_s:  # An equal program's verdict says nothing of the sandbox as it is now.
                in_a_row = 0
            if in_a_row == _HOPELESS:
                raise SandboxUnavailableError(
                    f"{sandbox.name} has failed {_HOPELESS} programs in a row ({judgement.detail}); the same command "
                    f"goes on from there, with {verdicts.owed:,} programs to judge"
                )
        verdicts.finish()
        return JudgeResult(
            {verdict: verdicts.counts[verdict] for verdict in Verdict if verdicts.counts[verdict]},
            samples.count - owed,
            batch.executions,
            batch.shared,
            batch.saved,
            cpu_s,
            sandbox.name,
            sandbox.memory_bound,
            trouble,
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
