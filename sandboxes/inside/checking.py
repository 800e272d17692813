"""Runs a test, and reports its outcome for the function that it calls.

A part of `remote.py`: standard library only, Python 3.8+; never imported.

The program is the text of the test, with `begin` before it and `finish` after it. Its report is a word and details:

- passed;
- failed: the test raised;
- raised: the function raised, and the test did not catch it;
- gone: the sample's process has ended, for which its own outcome has the reason;
- refused: the test depends on an object that cannot be sent to the other process;
- memory: the test exceeds its memory limit;
- broken: the test does not define `check`.

Only the first report counts. It is written immediately, so a test that catches the exception that follows cannot change
it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from sandboxes.inside.proxies import Function
    from sandboxes.inside.remote import PRESENT, Link


class TestEndedError(BaseException):
    """Unwinds the test once its outcome has been reported."""


class Test:
    """The test that this process runs."""

    def __init__(self, name: str, space: dict[str, Any], line: int):
        self.name = name
        self.space = space
        self.line = line
        self.ended = False
        # Keeps what the test prints out of the report.
        self.said = os.dup(1)
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
        self.link = Link()
        self.link.end = self.end
        self.function = Function(name, self.link)
        self.link.remember(0, self.function)

    def run(self) -> None:
        """Run `check` and report the outcome."""
        check = self.space.get("check")
        if self.name == "check":
            self.space["check"] = self.function  # From now on, the name refers to the sample's function.
        if not callable(check) or check is self.function:
            self.say("broken it defines no check(candidate)")
            return
        try:
            check(self.function)
            if not self.link.questions:
                # A sample that cannot be loaded fails even a test that does not call it.
                self.link.ask(PRESENT, 0)
        except BaseException as error:  # noqa: BLE001 (the outcome of the test)
            if not self.ended:
                self.say(self._about(error))
        else:
            self.say("passed")

    def say(self, what: str) -> None:
        """Write the report, unless there is one already."""
        if not self.ended:
            self.ended = True
            os.write(self.said, what.encode("utf-8", "replace"))

    def end(self, what: str) -> NoReturn:
        """Report an outcome, and unwind the test.

        Raises:
            TestEndedError: always.
        """
        word, _, details = what.partition(" ")
        frame = sys._getframe(1)
        line = 0
        while frame is not None:
            if frame.f_globals is self.space and frame.f_code.co_name != "<module>":
                line = frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        self.say(f"{word} line {line - self.line}: {details}" if line and word == "refused" else what)
        raise TestEndedError(what)

    def _about(self, error: BaseException) -> str:
        link = self.link
        word = "raised" if error is link.raised else "failed"
        word = "memory" if isinstance(error, MemoryError) else word
        trace = error.__traceback__
        while trace.tb_next and trace.tb_frame.f_globals is not self.space:  # type: ignore[union-attr]
            trace = trace.tb_next  # type: ignore[union-attr]
        where = f"line {trace.tb_lineno - self.line}"  # type: ignore[union-attr]
        if word == "failed" and link.foreign:
            return f"refused {where}: {link.foreign}"
        return f"{word} {where} {type(error).__name__}: {str(error)[:200]}"


_test: Test


def begin(name: str) -> None:
    """Define the sample's function under this name in the calling module. The text of the test follows this call."""
    global _test  # noqa: PLW0603 (one process runs one test at a time)
    caller = sys._getframe(1)
    _test = Test(name, caller.f_globals, caller.f_lineno)
    caller.f_globals[name] = _test.function


def finish() -> None:
    """Run the test that the calling module defines."""
    _test.run()
