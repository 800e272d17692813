"""Calls a function in another process, and rebuilds the values that come back from the caller's own classes.

Every program in a sandbox can import this as `remote`: standard library only, Python 3.8+. A test uses it to check an
untrusted function: the test calls a `Function`, and the program on the other end of descriptor 3 runs `serve`. Its
parts are `values.py` (how values are sent and rebuilt), `proxies.py` (objects that stay in their process) and
`checking.py` (runs a test and reports its outcome).

A frame consists of the length of its data, a letter, a number, and the data: encoded values. The letter of a question
is the operation, and the number is that of one of the receiver's objects. The letter of an answer is whether the
operation returned or raised. Its number is 1 if objects that both sides have in this exchange have changed; their
contents then follow. While one side waits for an answer, the other may ask, because functions and iterators can be
passed in both directions.
"""

from __future__ import annotations

import _thread
import os
import struct

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from sandboxes.inside.proxies import _USES, CALL, NEXT, STEPS, USE
    from sandboxes.inside.values import Exchange, decode_all, encode, snapshot

CHANNEL = 3
FRAME_LIMIT = 64 << 20
# Answers; the question whether the other side is alive; and the request of a sample to end the test.
RETURNED, RAISED, PRESENT, REFUSED = b"=", b"!", b".", b"?"

_ANSWERS = frozenset({RETURNED, RAISED})
_FRAME = struct.Struct("<QcQ")
_MALFORMED = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, struct.error)


class PeerClosedError(Exception):
    """The other side ended, or sent a malformed message."""


class Link:
    """The connection to the other side, and the objects that each side has of the other.

    `serving` is true on the sample's side. `end`, if it is set, is called with the reason when the test cannot
    continue: an exception would not be enough, because the test might catch it.
    """

    def __init__(self, *, serving: bool = False):
        self.serving = serving
        self.end: Callable[[str], NoReturn] | None = None
        self.exported: list[Any] = []
        self.exported_kinds: list[str] = []
        self.exported_numbers: dict[int, int] = {}
        self.imported: dict[int, Any] = {}
        self.imported_ids: dict[int, int] = {}
        self.questions = 0
        self.raised: BaseException | None = None
        """The last exception of the other side."""
        self.foreign = ""
        """The object of the last call that only one side's process has, if there is one."""
        self._lock = _thread.RLock()
        self._received = b""

    def ask(self, letter: bytes, number: int, *values: object) -> Any:
        """Ask a question, and return the other side's answer.

        Raises:
            PeerClosedError: the other side has ended or violates the protocol, and there is no `end`.
            Exception: what the other side raised, if that is an exception of Python or its standard library, or else
                RemoteError. StopIteration from a call becomes RuntimeError, as in a generator, because it would end a
                loop over `map` in the test, which would then have checked nothing.
        """
        try:
            with self._lock:
                raised, value = self._exchange(letter, number, values)
        except PeerClosedError as error:
            if self.end is not None:
                self.end("gone the program ended its part of the test: " + str(error))
            raise
        except MemoryError:  # The answer may be too large on purpose.
            if self.end is not None:
                self.end("memory the function's answer does not fit into memory")
            raise
        if raised:
            if isinstance(value, StopIteration) and not (self.serving or letter == NEXT or values[0] in STEPS):
                value = RuntimeError(*value.args)
            self.raised = value if id(value) not in self.exported_numbers else None
            raise value
        return value

    def refuse(self, why: str) -> NoReturn:
        """End the test, because it depends on an object that cannot be sent.

        Raises:
            TypeError: there is no `end`.
        """
        if self.serving:
            self._send(REFUSED, 0, why, Exchange(self))
            while True:
                self._receive()
        if self.end is not None:
            self.end("refused " + why)
        raise TypeError(why)

    def serve(self) -> None:
        """Answer questions until the other side has ended."""
        try:
            while True:
                self._answer(*self._receive())
        except (PeerClosedError, OSError):
            return

    def export(self, value: object, kind: str) -> int:
        """The number by which the other side may refer to an object. The object is kept, because its address is its
        identity."""
        number = self.exported_numbers.get(id(value))
        if number is None:
            number = self.exported_numbers[id(value)] = len(self.exported)
            self.exported.append(value)
            self.exported_kinds.append(kind)
        return number

    def remember(self, number: int, proxy: object) -> None:
        """Register a proxy for an object of the other side. When the proxy is sent, the other side gets the object."""
        self.imported[number] = proxy
        self.imported_ids[id(proxy)] = number

    def _exchange(self, letter: bytes, number: int, values: tuple[object, ...]) -> tuple[bool, Any]:
        """Whether the other side raised, and the value or exception."""
        self.questions += 1
        self.foreign = ""
        exchange = Exchange(self)
        try:
            self._send(letter, number, values, exchange)
        except OSError as error:
            raise PeerClosedError("it closed the connection") from error
        while True:
            letter, number, data = self._receive()
            if letter in _ANSWERS:
                break
            self._answer(letter, number, data)
        try:
            value = decode_all(data, exchange)
            if number:
                value, contents = value
                exchange.update(contents)
        except _MALFORMED as error:
            raise PeerClosedError("it sent a malformed value") from error
        if letter == RETURNED:
            return False, value
        # A sample never raises SystemExit, which ends its process. What the test has raised comes back unchanged.
        if isinstance(value, Exception) or (
            isinstance(value, BaseException) and (self.serving or id(value) in self.exported_numbers)
        ):
            return True, value
        raise PeerClosedError("it raised a malformed exception")

    def _answer(self, letter: bytes, number: int, data: bytes) -> None:
        """Do what the other side asks for, and send the outcome.

        Raises:
            PeerClosedError: the question is malformed or not allowed.
        """
        exchange = Exchange(self)
        try:
            values = decode_all(data, exchange)
            value = (
                self.exported[number] if letter == CALL and self.serving else self._asked_for(letter, number, values)
            )
        except _MALFORMED as error:
            raise PeerClosedError("it sent a malformed question") from error
        received = len(exchange.objects)
        before = snapshot(values, self) if received else b""
        answer, result = _outcome(letter, value, values, ends=self.serving)
        if received:
            changed = snapshot(values, self) != before
            exchange.turn()
            if changed:
                self._send(answer, 1, (result, exchange.contents()), exchange)
                return
        self._send(answer, 0, result, exchange)

    def _asked_for(self, letter: bytes, number: int, values: Any) -> Any:
        """The object that a question is about. A sample may ask only about objects that the test has given to it.

        Raises:
            ValueError, LookupError, TypeError: the question is not allowed.
        """
        if letter == CALL:
            arguments, named = values
            if type(arguments) is not tuple or type(named) is not dict:
                raise ValueError("not the arguments of a call")
        if letter == REFUSED and not self.serving:
            self.refuse(str(values))
        if letter == PRESENT:
            return None
        if not (
            (letter == CALL and (self.serving or self.exported_kinds[number] == "function"))
            or (letter == NEXT and (self.serving or self.exported_kinds[number] == "iterator"))
            or (letter == USE and self.serving)
        ):
            raise ValueError("it may not be used like that")
        return self.exported[number]

    def _send(self, letter: bytes, number: int, value: object, exchange: Exchange) -> None:
        """Write one frame."""
        pieces = [b""]
        encode(value, pieces, exchange)
        pieces[0] = _FRAME.pack(sum(map(len, pieces)), letter, number)
        data = b"".join(pieces)
        sent = os.write(CHANNEL, data)
        while sent < len(data):
            sent += os.write(CHANNEL, memoryview(data)[sent:])

    def _receive(self) -> tuple[bytes, int, bytes]:
        """The letter, number and data of the next frame.

        Raises:
            PeerClosedError: the other side has ended, or what it sent is too large.
        """
        data = self._received or _read(1 << 16)
        while len(data) < _FRAME.size:
            data += _read(1 << 16)
        size, letter, number = _FRAME.unpack_from(data)
        if size > FRAME_LIMIT:
            raise PeerClosedError("it sent too large a value")
        end = _FRAME.size + size
        if len(data) < end:
            pieces, missing = [data], end - len(data)
            while missing > 0:
                pieces.append(_read(1 << 20))
                missing -= len(pieces[-1])
            data = b"".join(pieces)
        self._received = data[end:]
        return letter, number, data[_FRAME.size : end]


def serve(function: Callable[..., object]) -> None:
    """Answer calls of `function` until the other side has ended, or the function raises MemoryError or an exception
    that is not an `Exception`, such as SystemExit."""
    link = Link(serving=True)
    link.export(function, "function")
    link.serve()


def _outcome(letter: bytes, value: Any, values: Any, *, ends: bool) -> tuple[bytes, object]:
    """Do what is asked for. With `ends`, MemoryError and exceptions such as SystemExit are not an answer, but end the
    process.

    This function must stay short: if no memory is left at all, CPython 3.11 loops forever when an exception passes
    through a handler beyond the first 256 instructions of a function, because it needs an integer for that position.
    """
    try:
        if letter == CALL:
            return RETURNED, value(*values[0], **values[1])
        if letter == NEXT:
            return RETURNED, next(value)
        return RETURNED, _USES[values[0]](value, *values[1:]) if letter == USE else None
    except BaseException as error:
        if ends and (isinstance(error, MemoryError) or not isinstance(error, Exception)):
            raise
        return RAISED, error


def _read(size: int) -> bytes:
    try:
        piece = os.read(CHANNEL, size)
    except OSError as error:
        raise PeerClosedError("it closed the connection") from error
    if not piece:
        raise PeerClosedError("it closed the connection")
    return piece
