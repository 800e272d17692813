"""One patch in one fresh container: applied, its tests run, and what came of it."""

import re
import secrets
import shlex
from typing import NamedTuple

from sandboxes.repositories import ContainerLostError, Execution, RepositoryContainers
from tasks.answers.isolated.pool import Failure, shared
from tasks.graders.repositories.report import END, START, LogReport
from tasks.graders.repositories.sessions import doubt
from tasks.patches.unified import file_patches
from tasks.records import RepositoryCheck, Verdict

REPORT_CPU_S = 120.0
"""CPU seconds that reading a log may take. It is part of the grader's rule."""
MAX_OUTPUT_BYTES = 64 << 20
"""What the tests of one patch may print. It is part of the grader's rule."""

_PATCH = "/tmp/patch.diff"  # noqa: S108 (in the container)
_APPLY_S = 600.0
# What SWE-bench tries, in its order. A failed try leaves files behind, so each begins with the files as they were.
_TRIES = ("git apply --verbose", "git apply --verbose --3way", "git apply --verbose --reject",
          "patch --batch --forward --fuzz=5 -p1 -i")  # fmt: skip
_FIRST_CODE = 50
_NOT_APPLIED = 99
_GIT_ERROR = re.compile(r"^error: (.*)$", re.MULTILINE)


class Evaluation(NamedTuple):
    """What became of a patch, a short reason, the seconds that the container ran, and whether a mark around the tests'
    output is missing."""

    verdict: Verdict
    detail: str
    wall_s: float
    cut: bool = False


def evaluate(containers: RepositoryContainers, check: RepositoryCheck, patch: str, time_limit_s: float) -> Evaluation:
    """Apply a patch and run the tests, in a fresh container; in another one if the tests' output was cut: a busy engine
    may lose it, and only what a patch does itself happens twice.

    Args:
        containers: start the container.
        check: the repository's.
        patch: a unified diff.
        time_limit_s: wall-clock seconds for the evaluation script.

    Raises:
        ContainerLostError: nothing is known about the patch.
        EngineLostError: the engine is gone.
    """
    first = _evaluated(containers, check, patch, time_limit_s)
    if not first.cut:
        return first
    again = _evaluated(containers, check, patch, time_limit_s)
    return again._replace(wall_s=first.wall_s + again.wall_s)


def _evaluated(containers: RepositoryContainers, check: RepositoryCheck, patch: str, time_limit_s: float) -> Evaluation:
    with containers.start(check.image) as container:
        container.put({_PATCH: patch.encode()})
        applied = container.run(_applying(), time_limit_s=_APPLY_S, max_output_bytes=MAX_OUTPUT_BYTES)
        if applied.exit_code is None or not _FIRST_CODE <= applied.exit_code <= _NOT_APPLIED:
            return _not_ended(applied, "it was applied")
        if applied.exit_code == _NOT_APPLIED:
            said = _GIT_ERROR.findall(applied.output.decode("utf-8", "replace"))
            failed = [each for each in said if each.startswith("patch failed")]
            return Evaluation(
                Verdict.ERROR, f"does not apply: {[*failed, *said, 'no try succeeded'][0]}", applied.wall_s
            )
        nonce = secrets.token_hex(16)
        place = f"/tmp/{nonce}"  # noqa: S108 (in the container)
        container.put({place: with_nonce(check.evaluation_script, nonce).encode()})
        # Bash has read all of it, and its file is gone, before anything of the patch can run.
        command = f'{_without_new_tests(check)}script=$(cat {place}); rm -f {place}; eval "$script"'
        done = container.run(command, time_limit_s=time_limit_s, max_output_bytes=MAX_OUTPUT_BYTES)
        decided = _decided(done, check, nonce)
    how = applied.exit_code - _FIRST_CODE
    by = f" (applied by {_TRIES[how]})" if 0 < how < len(_TRIES) else ""
    return decided._replace(detail=f"{decided.detail}{by}", wall_s=applied.wall_s + decided.wall_s)


def with_nonce(script: str, nonce: str) -> str:
    """The evaluation script with lines around the tests' output that nothing in the repository can know, and the exit
    code of the test command."""
    lines = []
    for line in script.split("\n"):
        if START in line:
            lines.append(f"printf '\\n%s\\n' {nonce}:begin")
        elif END in line:
            lines += ["monkeys_exit_code=$?", f"printf '\\n%s %s\\n' {nonce}:end \"$monkeys_exit_code\""]
        else:
            lines.append(line)
    return "\n".join(lines)


def tests_output(output: str, nonce: str) -> tuple[str | None, int | None]:
    """What the tests printed, and the exit code of their command; None for the former where they did not begin, for the
    latter where they did not end."""
    _, begun, after = output.partition(f"\n{nonce}:begin\n")
    if not begun:
        return None, None
    inside, ended, rest = after.rpartition(f"\n{nonce}:end ")
    if not ended:
        return after, None
    code = rest.split("\n", 1)[0]
    return inside, int(code) if code.isdigit() else None


def _decided(done: Execution, check: RepositoryCheck, nonce: str) -> Evaluation:
    if done.timed_out or done.output_exceeded:
        return _not_ended(done, "its tests ran")
    output, code = tests_output(done.output.decode("utf-8", "replace"), nonce)
    report = _report(output, code, check) if output is not None and code is not None else None
    if isinstance(report, str):
        return Evaluation(Verdict.ERROR, report, done.wall_s)
    if report is not None and report.resolved:
        passed = {*report.passed} & {*check.fail_to_pass, *check.pass_to_pass}
        doubtful = doubt(output or "", check.log_parser, sorted(passed))
        said = f"results not believed: {doubtful}" if doubtful else "resolved"
        return Evaluation(Verdict.ERROR if doubtful else Verdict.CORRECT, said, done.wall_s)
    if done.memory_kills:
        return Evaluation(Verdict.MEMORY_LIMIT, "a process was killed for the container's memory", done.wall_s)
    if done.disk_full:
        raise ContainerLostError("the container's disk is full")
    if report is None or not report.found:
        why = "the tests did not begin" if output is None else "the tests did not end" if code is None else "none found"
        return Evaluation(Verdict.ERROR, f"no test results: {why}", done.wall_s, cut=report is None)
    return Evaluation(Verdict.WRONG, _failures(report, check), done.wall_s)


def _report(output: str, code: int, check: RepositoryCheck) -> LogReport | str:
    """The report on the tests' output; a text says why there is none."""
    answer = shared("tasks.graders.repositories.report:read_log", REPORT_CPU_S).call(
        output, code, check.log_parser, (check.fail_to_pass, check.pass_to_pass), check.fail_only
    )
    if answer.failure is Failure.LOST:
        raise ContainerLostError("the process that reads the log was lost")
    if answer.failure is not None:
        return f"no test results: the log cannot be read within its limits ({answer.failure})"
    return LogReport(*answer.value)


def _failures(report: LogReport, check: RepositoryCheck) -> str:
    failed = [(report.failed_to_fix, check.fail_to_pass, "to fix"), (report.broken, check.pass_to_pass, "that passed")]
    return "unresolved: " + ", ".join(
        f"{len(some)} of {len(of)} tests {what} fail" for some, of, what in failed if some
    )


def _not_ended(done: Execution, when: str) -> Evaluation:
    """A command that reached a limit."""
    if done.timed_out:
        return Evaluation(Verdict.TIME_LIMIT, f"reached the time limit while {when}", done.wall_s)
    if done.output_exceeded:
        return Evaluation(Verdict.OUTPUT_LIMIT, f"reached the output limit while {when}", done.wall_s)
    if done.memory_kills:
        return Evaluation(Verdict.MEMORY_LIMIT, f"reached the memory limit while {when}", done.wall_s)
    if done.disk_full:
        raise ContainerLostError("the container's disk is full")
    raise ContainerLostError(f"Bash ended with exit code {done.exit_code} while {when}")


def _applying() -> str:
    """A command whose exit code says which try has applied the patch."""
    lines = []
    for number, command in enumerate(_TRIES):
        if number:
            lines.append("git checkout -- . ; git clean -fd")
        lines.append(f"{command} {_PATCH} && exit {_FIRST_CODE + number}")
    # Tries may have applied all of it and failed nevertheless.
    lines.append(f"git apply --check --reverse {_PATCH} && exit {_FIRST_CODE + len(_TRIES)}")
    return "\n".join([*lines, f"exit {_NOT_APPLIED}"])


def _without_new_tests(check: RepositoryCheck) -> str:
    """Remove files that the test patch creates or gives a new name: it would not apply where the patch has created
    them, too, and the patch's tests would run instead."""
    touched = file_patches(check.test_patch)
    old = {each.old for each in touched}
    new = [each.new for each in touched if each.new is not None and each.new not in old]
    return f"rm -rf -- {' '.join(map(shlex.quote, new))}\n" if new else ""
