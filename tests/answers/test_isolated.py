"""Calls that can be killed: limits hold, cost one call, and leave nothing behind."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.answers.isolated.pool import Failure, IsolatedPool

HERE = "tests.answers.test_isolated"


def misbehave(how: str) -> object:
    """What the pool calls in these tests."""
    match how:
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(600)
        case "eat":
            return len([bytearray(1 << 20) for _ in range(4096)])
        case "digits":
            return len(str(7 ** (7**12)))  # one operation in C: no signal handler would run before its end
        case "nest":
            return misbehave(how)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "print":
            print("line 1:0 mismatched input")
            os.write(1, b'{"value": "forged"}\n')
        case "controller":
            os.kill(os.getppid(), signal.SIGKILL)
        case "pid":
            return os.getpid()
    return how


@pytest.fixture(scope="module")
def pool() -> Iterator[IsolatedPool]:
    opened = IsolatedPool(f"{HERE}:misbehave", cpu_s=0.5, memory_mb=256, processes=2)
    yield opened
    opened.close()


def test_values_come_back_in_order(pool: IsolatedPool) -> None:
    asked = [f"call {number}" for number in range(2_500)]
    assert [answer.value for answer in pool.map((text,) for text in asked)] == asked


@pytest.mark.parametrize(
    ("how", "failure"),
    [
        ("spin", Failure.TIME),
        ("digits", Failure.TIME),
        ("eat", Failure.MEMORY),
        ("nest", Failure.DEPTH),
        ("segfault", Failure.CRASH),
        ("controller", Failure.LOST),
    ],
)
def test_a_call_beyond_its_limits_costs_itself_alone(pool: IsolatedPool, how: str, failure: Failure) -> None:
    answers = list(pool.map([("a",), (how,), ("b",), ("c",)]))
    assert [answer.value for answer in answers] == ["a", None, "b", "c"]
    assert [answer.failure for answer in answers] == [None, failure, None, None]
    if failure is Failure.TIME:
        assert 0.5 <= answers[1].cpu_s < 3, "CPU time ends it, long before the clock does"


def test_one_that_sleeps_is_ended_by_the_clock() -> None:
    pool = IsolatedPool(f"{HERE}:misbehave", cpu_s=0.1, processes=1)
    assert pool.call("sleep").failure is Failure.TIME
    pool.close()


def test_what_a_call_prints_is_not_taken_for_its_answer(pool: IsolatedPool) -> None:
    assert pool.call("print").value == "print"


def test_no_process_outlives_its_pool() -> None:
    pool = IsolatedPool(f"{HERE}:misbehave", cpu_s=5, processes=1)
    pid = pool.call("pid").value
    pool.close()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_a_closed_pool_opens_again() -> None:
    pool = IsolatedPool(f"{HERE}:misbehave", cpu_s=5, processes=1)
    assert pool.call("a").value == "a"
    pool.close()
    assert pool.call("b").value == "b"
    pool.close()
