"""How errors are handled: whether Prefect retries the task, and what the command line prints."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import tasks.errors
from flows.command_line.running import one_line
from flows.runtime.temporary_server import ServerError
from sandboxes import SandboxClosedError, SandboxUnavailableError
from sandboxes.repositories import ContainerLostError, EngineLostError
from tasks.engines.http.requester import ServerUnreachableError
from tasks.errors import (
    RESUME,
    AllRunsFailedError,
    CapReachedError,
    EngineFailedError,
    GradingCancelledError,
    MonkeysError,
    SamplingCancelledError,
    ScorerFailedError,
    ScoringCancelledError,
    StoreUnavailableError,
    UserError,
)
from tasks.plugins import PluginError
from tasks.steps.retries import is_retryable
from tasks.store.schema import CorruptObjectError, NewerSchemaError
from tasks.sweep.sweep import TakenOverError

RETRYABLE = {AllRunsFailedError, ContainerLostError, StoreUnavailableError, TakenOverError}
RESUMABLE = {
    ContainerLostError,
    EngineLostError,
    PluginError,
    EngineFailedError,
    ServerUnreachableError,
    ScorerFailedError,
    StoreUnavailableError,
    CapReachedError,
}
ALL: set[type[MonkeysError]] = {
    *RETRYABLE,
    *RESUMABLE,
    UserError,
    CorruptObjectError,
    NewerSchemaError,
    SamplingCancelledError,
    GradingCancelledError,
    ScoringCancelledError,
    SandboxClosedError,
    SandboxUnavailableError,
    ServerError,
}


def retried(error: Exception) -> bool:
    return is_retryable(None, None, SimpleNamespace(result=lambda raise_on_failure: error))


def below(error: type[Exception]) -> Iterator[type[Exception]]:
    for each in error.__subclasses__():
        yield each
        yield from below(each)


@pytest.mark.parametrize("kind", sorted(ALL, key=str))
def test_each_error_class_says_whether_it_is_retryable_and_resumable(kind: type[MonkeysError]) -> None:
    error = CorruptObjectError("x", "is wrong") if kind is CorruptObjectError else kind("x: is wrong")
    assert retried(error) == (kind in RETRYABLE)
    assert one_line(error) == (f"{error}. {RESUME}" if kind in RESUMABLE else str(error))


def test_the_docstring_of_errors_draws_the_whole_tree() -> None:
    drawn = {name for line in (tasks.errors.__doc__ or "").splitlines() for name in re.findall(r"── (\w+)", line)}
    ours = {
        each.__name__
        for each in below(MonkeysError)
        if each.__module__.split(".")[0] in {"flows", "tasks", "sandboxes"}
    }
    assert drawn == ours == {each.__name__ for each in ALL}


def test_a_plugins_error_may_be_retryable() -> None:
    class FlakyError(EngineFailedError):
        retryable = True

    assert retried(FlakyError("flaky: went away"))
    assert one_line(FlakyError("flaky: went away")) == f"flaky: went away. {RESUME}"


@pytest.mark.parametrize(("error", "again"), [(OSError(), True), (ValueError(), True), (TypeError(), False)])
def test_other_errors_are_retried_unless_they_are_bugs(error: Exception, again: bool) -> None:
    assert retried(error) == again
    assert one_line(error) is None


def test_a_message_with_a_name_from_outside_stays_one_printable_line() -> None:
    line = one_line(UserError("no set is called 'a'; there are: b\nc\x1b[2J\udcff\u202e"))
    assert line == "no set is called 'a'; there are: b‹U+000A›c‹U+001B›[2J‹U+DCFF›‹U+202E›"
    line.encode()
