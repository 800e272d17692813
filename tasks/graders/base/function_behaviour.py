"""What functions do in calls without an expected result, as an answer that can be counted.

Two functions that return the same in every call are taken for one answer, as programs are that print the same
(`tasks.graders.base.behaviour`). The calls are those of the public examples and changes of them
(`tasks.graders.base.mutated_arguments`); where no example is known to be public, changes of the test's calls, whose
results play no part. A second process, which the sample cannot reach, makes the calls; what they
return arrives there as values of built-in and standard types (`sandboxes/inside/values.py`), and equal values count as
the same result: 1, 1.0 and True, or sets in any order. Of an object of another class only the kind counts.

The same process runs the test of the public examples first.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from sandboxes import CheckedOutcome, Limits, Status
from sandboxes.batch import Batch, CheckedJob, normalized
from tasks.graders.base.literal_calls import calls_of_test
from tasks.graders.base.mutated_arguments import mutated_calls
from tasks.graders.base.purity import is_pure
from tasks.graders.base.requirements import require_check
from tasks.records import FunctionCheck, Problem

RULE = 2
"""Part of every answer: it rises when the comparison of results changes, so that votes of two rules never mix."""

FunctionKey = tuple[str, str]
"""A problem's id, and the `normalized` text of a program."""

# For Python 3.8 and later. It prints `passed` or `failed` if there is a public test, and a line for each call. Of what
# the sample has chosen, it prints only names of standard exceptions.
_OBSERVER = """\
import hashlib, itertools, os
remote = __import__("remote")
link = remote.Link()
function = remote.Function({entry_point!r}, link)
link.remember(0, function)


def say(line):
    os.write(1, (line + "\\n").encode("utf-8", "replace"))


def form(value):
    if isinstance(value, (bool, int, float)):
        if value != value:
            return "nan"
        whole = int(value) if value - value == 0 else None
        return "%x" % whole if whole is not None and whole == value else repr(value)
    if isinstance(value, (set, frozenset)):
        return ("set", sorted(map(repr, map(form, value))))
    if isinstance(value, dict):
        return ("dict", sorted((repr(form(key)), form(each)) for key, each in value.items()))
    for kind in (tuple, list):
        if isinstance(value, kind):
            return (kind.__name__, [form(each) for each in value])
    if value is None or type(value) in (str, bytes, bytearray, complex, range):
        return (type(value).__name__, repr(value))
    if type(value).__module__ in ("fractions", "decimal", "datetime", "_pydatetime"):
        return (type(value).__name__, repr(value))
    if hasattr(type(value), "__next__"):
        return ("iterator", [form(each) for each in itertools.islice(value, 1000)])
    if type(value).__module__ in ("collections", "array"):
        return (type(value).__name__, [form(each) for each in value])
    return ("object", "")


def outcome(arguments, named):
    try:
        result = function(*arguments, **named)
        found = form((result, arguments)) if result is None else form(result)
    except remote.PeerClosedError:
        raise SystemExit
    except MemoryError:
        raise
    except Exception as error:
        return "raised " + type(error).__name__
    text = repr(found).encode("utf-8", "surrogatepass")
    return ("nothing " if result is None else "returned ") + hashlib.sha256(text).hexdigest()


public = {public!r}
if public is not None:
    space = {{{entry_point!r}: function}}
    try:
        exec(compile({preamble!r}, "preamble.py", "exec", dont_inherit=True), space)
        space[{entry_point!r}] = function
        exec(compile(public, "public.py", "exec", dont_inherit=True), space)
        space["check"](function)
    except remote.PeerClosedError:
        raise SystemExit
    except BaseException:
        say("failed")
    else:
        say("passed")
for arguments, named in {calls}:
    say(outcome(arguments, named))
"""


class FunctionBehaviour(NamedTuple):
    """What a function did in all calls, as a short checksum; None if it failed in all of them, or returned nothing in
    any. `passed` says whether it passed the public test; None where there is none. `lost` says why the sandbox could
    not tell; None where it could. `cpu_s` and `wall_s` are what finding out took."""

    answer: str | None
    passed: bool | None
    lost: str | None
    cpu_s: float
    wall_s: float


def function_behaviours(
    programs: Iterable[tuple[Problem, str, str, str]], count: int, batch: Batch
) -> Mapping[FunctionKey, FunctionBehaviour]:
    """The behaviour of each function by the problem's id and the normalized program; equal programs run once.

    Args:
        programs: each with its problem, which has a `FunctionCheck`; the program that serves calls of its function; the
            text of the sample's code, for the key; and the code that the problem's test may use.
        count: how many calls are made, at most.
        batch: where they run.
    """
    distinct = {(problem.id, normalized(source)): each for each in programs for problem, _, source, _ in [each]}
    jobs = (
        CheckedJob(
            key,
            program,
            _observer(problem, preamble, count),
            Limits(cpu_s=problem.time_limit_s, memory_mb=problem.memory_limit_mb),
            reusable_process=is_pure(
                f"{preamble}\n{require_check(problem, FunctionCheck).public or ''}",
                require_check(problem, FunctionCheck).entry_point,
            ),
        )
        for key, (problem, program, _, preamble) in distinct.items()
    )
    problems = {problem.id: problem for problem, _, _, _ in distinct.values()}
    return {
        result.key: _behaviour(
            CheckedOutcome(*result.outcomes), problems[result.key[0]], count, result.cpu_s, result.wall_s
        )
        for result in batch.run(jobs)
    }


@lru_cache(maxsize=1024)
def _observer(problem: Problem, preamble: str, count: int) -> str:
    check = require_check(problem, FunctionCheck)
    # Where the public test is the whole test, the verdict says whether it is passed.
    public = None if check.public == check.code else check.public
    calls = f"[{', '.join(_calls(problem, count))}]"
    return _OBSERVER.format(entry_point=check.entry_point, public=public, preamble=preamble, calls=calls)


@lru_cache(maxsize=1024)
def _calls(problem: Problem, count: int) -> tuple[str, ...]:
    check = require_check(problem, FunctionCheck)
    calls = check.calls or calls_of_test(check.code, check.entry_point)
    return mutated_calls(problem.id, calls, count, known=bool(check.calls))


def _behaviour(checked: CheckedOutcome, problem: Problem, count: int, cpu_s: float, wall_s: float) -> FunctionBehaviour:
    lost = next((outcome.detail for outcome in checked if outcome.status is Status.INFRASTRUCTURE), None)
    if lost is not None:
        return FunctionBehaviour(None, None, lost, cpu_s, wall_s)
    check, calls = require_check(problem, FunctionCheck), _calls(problem, count)
    lines = checked.checker.stdout.decode(errors="replace").splitlines()
    passed = None
    if check.public is not None and check.public != check.code:
        passed = lines[:1] == ["passed"]
        lines = lines[1:]
    if not any(line.startswith("returned ") for line in lines):
        return FunctionBehaviour(None, passed, None, cpu_s, wall_s)
    ended = next((outcome.status for outcome in checked[::-1] if outcome.status is not Status.OK), Status.OK)
    did = [*lines[: len(calls)], *([f"ended: {ended}"] if len(lines) < len(calls) else [])]
    text = "\n".join([str(RULE), *calls, *did])
    answer = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return FunctionBehaviour(answer, passed, None, cpu_s, wall_s)
