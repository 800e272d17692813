"""Calls a function in another process, so that only values come back that the caller's own classes were made of.

Every program in a sandbox can import this as `remote`: standard library only, Python 3.8+. It is how a test checks an
untrusted function: the test calls a `Function`, the program on the other end of descriptor 3 runs `serve`. Its parts
are `values.py` (what is sent, and what is rebuilt from it), `proxies.py` (what stays in its process) and `checking.py`
(from a test to what it says of the function).

A frame is the length of its data, a letter, and a number, then the data: encoded values. A question's letter says what
to do with which of the receiver's objects, by number. The answer's says whether it returned or raised. Its number is 1
if the objects that both sides have of this exchange have changed: then their contents follow. While one side waits for
an answer, the other may ask: functions and iterators may be passed in both directions.
"""

from __future__ import annotations

import _thread
import os
import struct

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from sandboxes.inside.proxies import _USES, CALL, NEXT, USE
    from sandboxes.inside.values import Exchange, decode, encode, snapshot

CHANNEL = 3
FRAME_LIMIT = 64 << 20
# Answers; the question whether the other side is still there; and the end of a test, which the sample may ask for.
RETURNED, RAISED, PRESENT, REFUSED = b"=", b"!", b".", b"?"

_FRAME = struct.Struct("<QcQ")
_MALFORMED = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, struct.error)


class PeerClosedError(Exception):
    """The other side ended, or sent a malformed message."""


class Link:
    """The connection to the other side, and the objects that each has of the other.

    `serving`: this is the sample's side. `end`, where it is set, ends the test's process with what it is told: that
    the sample's process has ended must not be an exception, because the test might catch it.
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
        """The class of an object in the last answer that only the other side's process has."""
        self._lock = _thread.RLock()
        self._received = b""

    def ask(self, letter: bytes, number: int, *values: object) -> Any:
        """What the other side answers.

        Raises:
            PeerClosedError: it has ended or does not follow the protocol, and there is no `end`.
            Exception: what it raised, as an exception of Python or its standard library, and otherwise RemoteError. From
                a call, StopIteration is RuntimeError, as in a generator: it would end a loop over `map` in the test,
                which would then have checked nothing.
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
            if letter == CALL and isinstance(value, StopIteration) and not self.serving:
                value = RuntimeError(*value.args)
            self.raised = value if id(value) not in self.exported_numbers else None
            raise value
        return value

    def refuse(self, why: str) -> NoReturn:
        """End the test, as it depends on an object that cannot be carried.

        Raises:
            TypeError: there is no `end`.
        """
        if self.serving:
            self._send(REFUSED, 0, (why,), Exchange(self))
            while True:
                self._receive()
        if self.end is not None:
            self.end("refused " + why)
        raise TypeError(why)

    def serve(self) -> None:
        """Answer questions until the other side is gone."""
        try:
            while True:
                self._answer(*self._receive())
        except (PeerClosedError, OSError):
            return

    def export(self, value: object, kind: str) -> int:
        """The number by which the other side may ask for an object. It is kept: its address is its identity."""
        number = self.exported_numbers.get(id(value))
        if number is None:
            number = self.exported_numbers[id(value)] = len(self.exported)
            self.exported.append(value)
            self.exported_kinds.append(kind)
        return number

    def remember(self, number: int, proxy: object) -> None:
        """Let a proxy stand for an object of the other side, which gets the object itself where it is sent."""
        self.imported[number] = proxy
        self.imported_ids[id(proxy)] = number

    def _exchange(self, letter: bytes, number: int, values: tuple[object, ...]) -> tuple[bool, Any]:
        """Whether the other side raised, and the value or exception."""
        self.questions += 1
        exchange = Exchange(self)
        try:
            self._send(letter, number, values, exchange)
        except OSError as error:
            raise PeerClosedError("it closed the connection") from error
        while True:
            letter, number, data = self._receive()
            if letter == RETURNED or letter == RAISED:
                break
            self._answer(letter, number, data)
        self.foreign = ""
        try:
            value, *contents = _decode_all(data, exchange)
            if number:
                exchange.update(*contents)
        except _MALFORMED as error:
            raise PeerClosedError("it sent a malformed value") from error
        if letter == RAISED and (
            not isinstance(value, BaseException)
            or not (self.serving or isinstance(value, Exception) or id(value) in self.exported_numbers)
        ):
            raise PeerClosedError("it raised a malformed exception")
        return letter == RAISED, value

    def _answer(self, letter: bytes, number: int, data: bytes) -> None:
        """Do what the other side asks for, and say what came of it."""
        exchange = Exchange(self)
        try:
            values = _decode_all(data, exchange)
        except _MALFORMED as error:
            raise PeerClosedError("it sent a malformed question") from error
        if letter == REFUSED and not self.serving:
            self.refuse(str(values[0]))
        act = self._act(letter, number, values)
        received = len(exchange.objects)
        before = snapshot(values, self) if received else b""
        answer, result = RETURNED, None
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 (any exception is the answer, except for those that end a process)
            if self.serving and (isinstance(error, MemoryError) or not isinstance(error, Exception)):
                raise
            answer, result = RAISED, error
        changed = received > 0 and snapshot(values, self) != before
        exchange.turn()
        contents = (exchange.contents(),) if changed else ()
        self._send(answer, int(changed), (result, *contents), exchange)

    def _act(self, letter: bytes, number: int, values: list[Any]) -> Callable[[], object]:
        """What is asked for, if it may be.

        Raises:
            PeerClosedError: it may not.
        """
        if letter == PRESENT:
            return lambda: None
        if number < len(self.exported):
            value, kind = self.exported[number], self.exported_kinds[number]
            if letter == CALL and (self.serving or kind == "function") and list(map(type, values)) == [tuple, dict]:
                return lambda: value(*values[0], **values[1])
            if letter == NEXT and (self.serving or kind == "iterator"):
                return lambda: next(value)
            if letter == USE and self.serving:
                return lambda: _USES[values[0]](value, *values[1:])
        raise PeerClosedError("it asked for what it may not have")

    def _send(self, letter: bytes, number: int, values: tuple[object, ...], exchange: Exchange) -> None:
        """Write one frame."""
        pieces = [b""]
        for value in values:
            encode(value, pieces, exchange)
        pieces[0] = _FRAME.pack(sum(map(len, pieces)), letter, number)
        data = memoryview(b"".join(pieces))
        while data:
            data = data[os.write(CHANNEL, data) :]

    def _receive(self) -> tuple[bytes, int, bytes]:
        """The letter, number and data of the next frame.

        Raises:
            PeerClosedError: the other side has ended, or what it sent is too large.
        """
        data = self._received
        while len(data) < _FRAME.size:
            data += _read(1 << 16)
        size, letter, number = _FRAME.unpack_from(data)
        if size > FRAME_LIMIT:
            raise PeerClosedError("it sent too large a value")
        end = _FRAME.size + size
        if len(data) < end:
            pieces, missing = [data], end - len(data)
            while missing > 0:
                pieces.append(_read(min(max(missing, 1 << 16), 1 << 20)))
                missing -= len(pieces[-1])
            data = b"".join(pieces)
        self._received = data[end:]
        return letter, number, data[_FRAME.size : end]


def serve(function: Callable[..., object]) -> None:
    """Answer calls of `function` until the other side is gone. SystemExit and its like, and MemoryError, end it."""
    link = Link(serving=True)
    link.export(function, "function")
    link.serve()


def _decode_all(data: bytes, exchange: Exchange) -> list[Any]:
    values, at = [], 0
    while at < len(data):
        value, at = decode(data, at, exchange)
        values.append(value)
    return values


def _read(size: int) -> bytes:
    try:
        piece = os.read(CHANNEL, size)
    except OSError as error:
        raise PeerClosedError("it closed the connection") from error
    if not piece:
        raise PeerClosedError("it closed the connection")
    return piece
