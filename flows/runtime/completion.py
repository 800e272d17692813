"""The outcome of a flow, whether or not Prefect's server still answers when it ends.

Prefect tells the server how a flow run ended before it returns the flow's result, and waits for minutes if the server
is unavailable. A flow marked with `keeps_outcome` and called by `completed` hands its result over before that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, cast

from prefect.context import FlowRunContext
from prefect.exceptions import Abort, TerminationSignal

from tasks.steps.server import FAULTS, tell_unreachable, unreachable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass
class _Outcome(Generic[Result]):
    """How a flow's function ended: `result` or `error`, once it has `ended`."""

    started: bool = False
    ended: bool = False
    result: Result | None = None
    error: BaseException | None = None


_outcome: ContextVar["_Outcome[Any] | None"] = ContextVar("outcome", default=None)


def keeps_outcome(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a flow's function hand its outcome to `completed`; called by anything else, it is unchanged."""

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        outcome = _outcome.get()
        if outcome is None:
            return function(*args, **kwargs)
        outcome.started = True
        with _handed_over(None):  # the flows that this one runs have their own outcomes
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                outcome.ended, outcome.error = True, error
                _abort_if_unreachable()
                raise
        outcome.ended, outcome.result = True, result
        _abort_if_unreachable()
        return result

    return run


def completed(flow: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Call a flow, and return or raise what its function did, even if the server went away in the meantime.

    A flow that another one runs does not need the server to start either: without it, its steps count as those of the
    other. Raises what Prefect raises if the server does not answer at the start of the outermost flow.
    """
    inner = FlowRunContext.get() is not None
    if inner and (reason := unreachable()) is not None:
        tell_unreachable(reason)
        return _without_server(flow, *args, **kwargs)
    outcome: _Outcome[Result] = _Outcome()
    with _handed_over(outcome):
        try:
            return flow(*args, **kwargs)
        except (Abort, *FAULTS) as error:
            if error is outcome.error or (not outcome.ended and (outcome.started or not inner)):
                raise
            fault = error
    tell_unreachable(str(fault) or type(fault).__name__)
    if not outcome.started:
        return _without_server(flow, *args, **kwargs)
    if isinstance(outcome.error, TerminationSignal):
        raise SystemExit(128 + outcome.error.signal)
    if outcome.error is not None:
        raise outcome.error
    return cast(Result, outcome.result)


def _without_server(flow: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    function: Callable[Parameters, Result] = getattr(flow, "fn", flow)
    with _handed_over(None):
        return function(*args, **kwargs)


def _abort_if_unreachable() -> None:
    """End a flow run without telling a server that does not answer: Prefect would try for minutes."""
    reason = unreachable()
    if reason is not None:
        raise Abort(reason)


@contextmanager
def _handed_over(outcome: "_Outcome[Any] | None") -> Iterator[None]:
    token = _outcome.set(outcome)
    try:
        yield
    finally:
        _outcome.reset(token)
