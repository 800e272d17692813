import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxClosedError, Status
from sandboxes.batch import Batch, Job
from tests.sandboxes.conftest import SUM, descendants, open_sandbox
from tests.sandboxes.wrapped import WrappedSandbox

Key = TypeVar("Key", int, str)

SUMS = tuple(f"{a} {a}\n".encode() for a in range(4))


def doubled(number: int, outcome: Outcome) -> bool:
    return outcome.status is Status.OK and outcome.stdout.strip() == str(2 * number).encode()


def job(key: Key, program: str, group: object = None) -> Job[Key]:
    return Job(key, program, SUMS, doubled, Limits(cpu_s=2.0), group)


def test_every_job_gets_one_result(sandbox: Sandbox) -> None:
    wrong_from_2 = "a, b = map(int, input().split()); print(a + b if a < 2 else 0)"
    jobs = [job("right", SUM), job("wrong", wrong_from_2), job("broken", "1/0"), job("right again", SUM)]
    results = {result.key: result for result in Batch(sandbox).run(jobs)}
    assert results["right"].passed
    assert results["right again"].passed
    assert [outcome.status for outcome in results["right"].outcomes] == [Status.OK] * 4
    assert results["wrong"].failed == (2,)
    assert results["wrong"].outcomes[-1].stdout == b"0\n"
    assert len(results["wrong"].outcomes) == 3
    assert [outcome.status for outcome in results["broken"].outcomes] == [Status.ERROR]
    assert not any(result.infrastructure for result in results.values())


def test_all_tests_run_on_request(sandbox: Sandbox) -> None:
    (result,) = Batch(sandbox, stop_early=False).run([job(0, "print(2)")])
    assert result.failed == (0, 2, 3)
    assert len(result.outcomes) == 4


def test_equal_programs_of_a_group_run_once(sandbox: Sandbox) -> None:
    batch = Batch(sandbox)
    jobs = [job(i, SUM, "p") for i in range(6)] + [job(6, SUM + "#", "p"), job(7, SUM, "q"), job(8, SUM), job(9, SUM)]
    results = list(batch.run(jobs))
    assert sorted(result.key for result in results) == list(range(10))
    assert all(result.passed for result in results)
    assert batch.deduplicated == 5
    assert batch.executions_saved == 5 * 4
    assert batch.executions == 5 * 4
    assert all(result.cpu_s == 0 for result in results if result.deduplicated)


ALIKE = [
    'print("""a\nb""".encode())\nimport sys\nprint(sys._getframe().f_lineno, sys._getframe().f_code.co_code)',
    "if True:\n    print(1)",
    "x = (1,\n2)\nprint(x) # c",
    "print(1); ",
    's = """',
    "def f():",
]


@pytest.mark.parametrize("text", ALIKE)
def test_what_is_called_equal_behaves_the_same(sandbox: Sandbox, text: str) -> None:
    def behaviour(program: str) -> tuple[Status, bytes]:
        outcome = sandbox.run(program, b"", Limits())
        return outcome.status, outcome.stdout

    variants = [text, text + "\n", text + " \n\n\t\f\n  ", text.replace("\n", "\r\n") + "\r\n"]
    assert len({behaviour(variant) for variant in variants}) == 1
    batch = Batch(sandbox)
    assert len(list(batch.run(job(n, variant, "p") for n, variant in enumerate(variants)))) == 4
    assert batch.deduplicated == 3


@pytest.mark.parametrize("end", [" \\\n", "\xa0", "\v", "\0", "\r", ";", "#", "\\"])
def test_other_ends_are_other_programs(sandbox: Sandbox, end: str) -> None:
    batch = Batch(sandbox)
    assert len(list(batch.run([job(1, "print(1)", "p"), job(2, "print(1)" + end, "p")]))) == 2
    assert batch.deduplicated == 0


def test_jobs_are_taken_only_as_they_are_needed(sandbox: Sandbox) -> None:
    taken = []

    def jobs():
        for number in range(50):
            taken.append(number)
            yield job(number, SUM)

    results = Batch(sandbox).run(jobs())
    next(results)
    assert len(taken) <= sandbox.workers + 3
    results.close()


@dataclass
class Failing(WrappedSandbox):
    """Fails for its own reasons on a program's first runs, as many as `failures` has for it."""

    failures: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        with self.lock:
            self.calls.append(program)
            if self.failures.get(program, 0) > 0:
                self.failures[program] -= 1
                return Outcome(Status.INFRASTRUCTURE, detail="went away")
        return self.inner.run(program, stdin, limits)


def test_infrastructure_failures_are_retried_then_reported(sandbox: Sandbox) -> None:
    other = SUM + " # other"
    failing = Failing(sandbox, failures={SUM: 2, other: 100})
    results = {r.key: r for r in Batch(failing, pause_s=0.01).run([job("twice", SUM), job("always", other)])}
    assert results["twice"].passed
    assert not results["always"].passed
    assert results["always"].infrastructure is not None
    assert results["always"].infrastructure.detail == "went away"
    assert failing.calls.count(other) == 3


def test_an_error_of_accept_is_not_swallowed(sandbox: Sandbox) -> None:
    def accept(number: int, outcome: Outcome) -> bool:
        raise KeyError(number)

    with pytest.raises(KeyError):
        list(Batch(sandbox).run([Job(0, SUM, SUMS, accept, Limits())]))


@pytest.mark.parametrize("form", ["bubblewrap", "bubblewrap-spawn"])
def test_no_verdict_is_lost_with_a_server(form: str) -> None:
    """All that the sandbox has started is killed three times in the middle of a batch: jobs in flight run again."""
    slow = "import time; time.sleep(0.05)\n" + SUM
    results = []
    others = descendants()
    with open_sandbox(form) as sandbox:
        for result in Batch(sandbox, pause_s=0.01).run([job(i, slow) for i in range(12)]):
            results.append(result)
            if len(results) in {2, 5, 8}:
                for pid in descendants() - others:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
    assert sorted(result.key for result in results) == list(range(12))
    assert all(result.passed for result in results), results


@pytest.mark.parametrize("form", ["bubblewrap", "bubblewrap-spawn"])
def test_a_sandbox_that_is_closed_ends_the_programs_of_other_threads(form: str) -> None:
    """Nobody waits for them, nor for the tests that are left, and nothing is said of the programs."""
    sleeping = Job(0, "import time; time.sleep(300)", SUMS * 10, doubled, Limits(cpu_s=300.0))
    others = descendants()
    with ThreadPoolExecutor(1) as pool:
        with open_sandbox(form) as sandbox:
            waiting = pool.submit(lambda: list(Batch(sandbox).run([sleeping])))
            time.sleep(2)
        with pytest.raises(SandboxClosedError):
            waiting.result(timeout=60)
        with pytest.raises(SandboxClosedError):
            sandbox.run(SUM, b"1 2", Limits())
    assert descendants() <= others


def test_jobs_are_not_taken_far_ahead_of_a_slow_one(sandbox: Sandbox) -> None:
    """Not even duplicates of it, which need no execution."""
    taken = []

    def jobs():
        for number in range(200):
            taken.append(number)
            yield job(number, "import time; time.sleep(0.2)\n" + SUM, "p")

    results = Batch(sandbox, window=50).run(jobs())
    first = next(results)
    assert (first.key, len(taken)) == (0, 51)
    assert sorted(result.key for result in results) == list(range(1, 200))


def test_what_is_remembered_of_programs_is_bounded(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that ran last is remembered; the one before it is forgotten, and runs again."""
    monkeypatch.setattr("sandboxes.batch.CACHE_BYTES", 2000)
    batch = Batch(sandbox)
    others = [f"{SUM} # {number}" for number in range(3)]
    for programs in ((SUM, SUM), (SUM, SUM, *others, SUM)):
        keys = [result.key for result in batch.run(job(n, program, "p") for n, program in enumerate(programs))]
        assert sorted(keys) == list(range(len(programs)))
    assert batch.executions == (1 + 5) * 4
    assert batch.deduplicated == 1 + 1


def test_an_infrastructure_failure_is_not_remembered(sandbox: Sandbox) -> None:
    failing = Failing(sandbox, failures={SUM: 1})
    failing.workers = 1
    other = [job(n, SUM + " #" * n, "p") for n in range(1, 4)]
    results = list(Batch(failing, retries=0).run([job(0, SUM, "p"), *other, job(4, SUM, "p")]))
    assert {result.key: result.passed for result in results} == {0: False, 1: True, 2: True, 3: True, 4: True}
