"""Functions completed from a prompt, judged by a test: HumanEval's rule, in a form that a sample cannot forge.

The rule (openai/human-eval, `execution.py`): the prompt, the completion and the test are one program, and the sample
is right if it runs to its end with `check(entry_point)`. There the sample shares a process with its judge. Here two
processes run side by side, in sandboxes of their own:

- the program: prompt + completion; it serves calls of its function;
- the checker: prompt + test, with the entry point's name bound to a proxy that sends arguments and gets plain values
  back. The verdict is what the checker prints, in a place that the program cannot reach.

The two rules differ where a sample redefines a helper that the prompt defines and the test calls (the checker uses the
prompt's), where the test looks at what a call did to its arguments (they are copies), and where a function returns an
object of its own making (it is equal to nothing). The completion is used as it is: no cutting, no fences.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Checked, Sandbox, Status
from sandboxes.batch import Batch, CheckedJob
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.outcomes import VERDICT_OF, reason, shortened

_PROGRAM = """\
import remote
def load():
    space = {{"__name__": "candidate"}}
    exec(compile({source!r}, "main.py", "exec"), space)
    return space[{entry_point!r}]
remote.serve(load())
"""

# What `check` prints must not mix with the verdict. GoneError is the program's end: its own outcome says why.
_CHECKER = """\
import os, sys, remote
verdict = os.dup(1)
os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
candidate = remote.Function({entry_point!r})
space = {{"__name__": "check"}}
exec(compile({prompt!r}, "prompt.py", "exec"), space)
space[{entry_point!r}] = candidate
exec(compile({code!r}, "test.py", "exec"), space)
try:
    space["check"](candidate)
    said = "passed"
except remote.GoneError as error:
    said = "gone the program ended its part of the test: " + str(error)
except BaseException as error:
    said = "raised " if error is candidate.raised else "failed "
    said = "memory " if isinstance(error, MemoryError) else said
    line = error.__traceback__
    while line.tb_next and line.tb_frame.f_code.co_filename != "test.py":
        line = line.tb_next
    said += "line " + str(line.tb_lineno) + " " + type(error).__name__ + ": " + str(error)[:200]
os.write(verdict, said.encode("utf-8", "replace"))
"""

_SAID = {
    "failed": Verdict.WRONG,
    "raised": Verdict.ERROR,
    "gone": Verdict.ERROR,
    "memory": Verdict.MEMORY_LIMIT,
}


class HumanEvalConfig(BaseModel):
    """Judges a completion of the problem's prompt by the problem's function test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = True
    name: Literal["humaneval"] = "humaneval"

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[Judgement]:
        """One judgement a pair, as they are reached."""
        if sandbox is None:
            raise ValueError("the humaneval grader runs code: it needs a sandbox")
        for result in Batch(sandbox).run(_job(problem, sample, sandbox) for problem, sample in pairs):
            problem_id, index = result.key
            verdict, detail = _verdict(Checked(*result.outcomes))
            yield Judgement(problem_id, index, verdict, detail, result.cpu_s, result.wall_s)


def _job(problem: Problem, sample: Sample, sandbox: Sandbox) -> CheckedJob[tuple[str, int]]:
    test = problem.function_test
    if test is None:
        raise ValueError(f"problem {problem.id!r} has no function test; the humaneval grader cannot judge it")
    return CheckedJob(
        (problem.id, sample.index),
        _PROGRAM.format(source=problem.question + sample.text, entry_point=test.entry_point),
        _CHECKER.format(prompt=problem.question, code=test.code, entry_point=test.entry_point),
        sandbox.limits(problem.time_limit_s, problem.memory_limit_mb),
        group=problem.id,
    )


def _verdict(checked: Checked) -> tuple[Verdict, str]:
    """The checker's word that all is well stands alone; that something is not, the program's own end may explain."""
    for outcome in checked:
        if outcome.status is Status.INFRASTRUCTURE:
            return Verdict.INFRASTRUCTURE, outcome.detail
    said, _, detail = checked.checker.stdout.decode(errors="replace").partition(" ")
    if said == "passed":
        return Verdict.CORRECT, ""
    if checked.program.status is not Status.OK:
        return VERDICT_OF[checked.program.status], reason(checked.program)
    if said in _SAID:
        return _SAID[said], shortened(detail)
    return VERDICT_OF.get(checked.checker.status, Verdict.ERROR), "its test: " + reason(checked.checker)
