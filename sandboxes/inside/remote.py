"""Calls a function in another process, so that only plain values come back.

Every program in a sandbox can import this as `remote`: standard library only, Python 3.8+. It is how a test checks an
untrusted function: the test calls a `Function`, the program on the other end of descriptor 3 runs `serve`. Values are
rebuilt on arrival from a fixed set of built-in types. An object with custom equality, a deceptive subclass or a patched
built-in stays in its process; a value without a plain form arrives as an `Opaque`, which equals nothing.

A frame is its length (8 bytes), then one encoded value: a type letter, a size or count, and the contents.
"""

from __future__ import annotations

import builtins
import os
import struct

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CHANNEL = 3
FRAME_LIMIT = 64 << 20

_SIZE = struct.Struct("<Q")
_COMPLEX = struct.Struct("<dd")
_PAIRS: Callable[[Any], Any] = dict.items
_SEQUENCES: dict[bytes, Any] = {b"l": list, b"t": tuple, b"S": set, b"Z": frozenset}
# A subclass is sent as its built-in base type; bool comes before int, because it is a subclass of it.
_LETTER_OF: dict[type, bytes] = {
    type(None): b"n",
    bool: b"b",
    int: b"i",
    float: b"f",
    complex: b"c",
    str: b"s",
    bytes: b"y",
    bytearray: b"a",
    list: b"l",
    tuple: b"t",
    set: b"S",
    frozenset: b"Z",
    dict: b"d",
}


class Opaque:
    """A value of the other side that has no plain form. It equals only itself."""

    def __init__(self, kind: str):
        self.kind = kind

    def __repr__(self) -> str:
        return "<" + self.kind + ">"


# Integers are sent in hexadecimal, because Python limits the conversion of decimal digits.
_CONTENTS: dict[bytes, Callable[[Any], bytes]] = {
    b"n": lambda _: b"",
    b"b": lambda value: b"1" if value else b"",
    b"i": lambda value: int.__format__(value, "x").encode(),
    b"f": lambda value: _COMPLEX.pack(float.__float__(value), 0.0),
    b"c": lambda value: _COMPLEX.pack(complex(value).real, complex(value).imag),
    b"s": lambda value: str.encode(value, "utf-8", "surrogatepass"),
    b"y": bytes,
    b"a": bytes,
    b"o": lambda value: type(value).__name__.encode("utf-8", "replace"),
}
_VALUE: dict[bytes, Callable[[bytes], object]] = {
    b"n": lambda _: None,
    b"b": bool,
    b"i": lambda contents: int(contents, 16),
    b"f": lambda contents: _COMPLEX.unpack(contents)[0],
    b"c": lambda contents: complex(*_COMPLEX.unpack(contents)),
    b"s": lambda contents: contents.decode("utf-8", "surrogatepass"),
    b"y": bytes,
    b"a": bytearray,
    b"o": lambda contents: Opaque(contents.decode("utf-8", "replace")),
}


class PeerClosedError(Exception):
    """The other side ended, or sent a malformed message."""


class RemoteError(Exception):
    """The function raised an exception that is not a built-in one."""


def encode(value: object, out: list[bytes]) -> None:
    """Append the pieces of an encoded value to a list."""
    letter = _LETTER_OF.get(type(value))
    if letter is None:
        # The methods used below are those of the built-in type, not of the subclass.
        letter = next((letter for kind, letter in _LETTER_OF.items() if isinstance(value, kind)), b"o")
    if letter in _SEQUENCES:
        parts = list(_SEQUENCES[letter].__iter__(value))
    elif letter == b"d":
        parts = [part for pair in _PAIRS(value) for part in pair]
    else:
        contents = _CONTENTS[letter](value)
        out += (letter, _SIZE.pack(len(contents)), contents)
        return
    out += (letter, _SIZE.pack(len(parts)))
    for part in parts:
        encode(part, out)


def decode(data: bytes, at: int = 0) -> tuple[Any, int]:
    """The value encoded in `data` from `at` on, and where it ends.

    Raises:
        ValueError, struct.error, TypeError, RecursionError: it is not an encoded value.
    """
    letter, size = data[at : at + 1], _SIZE.unpack_from(data, at + 1)[0]
    at += 1 + _SIZE.size
    if letter in _SEQUENCES or letter == b"d":
        parts = []
        # Every part takes some bytes: this loop cannot run beyond the data, whatever the count.
        for _ in range(size):
            part, at = decode(data, at)
            parts.append(part)
        return dict(zip(parts[::2], parts[1::2])) if letter == b"d" else _SEQUENCES[letter](parts), at
    contents = data[at : at + size]
    if len(contents) != size or letter not in _VALUE:
        raise ValueError("not an encoded value")
    return _VALUE[letter](contents), at + size


def send(value: object) -> None:
    """Write one frame."""
    pieces = [b""]
    encode(value, pieces)
    pieces[0] = _SIZE.pack(sum(map(len, pieces)))
    data = memoryview(b"".join(pieces))
    while data:
        data = data[os.write(CHANNEL, data) :]


def receive() -> Any:
    """The value of the next frame.

    Raises:
        PeerClosedError: the other side has ended, or the frame is malformed.
    """
    size = _SIZE.unpack(_read(_SIZE.size))[0]
    if size > FRAME_LIMIT:
        raise PeerClosedError("it sent too large a value")
    data = _read(size)
    try:
        value, end = decode(data)
    except (ValueError, struct.error, TypeError, RecursionError) as error:
        raise PeerClosedError("it sent a malformed value") from error
    if end != size:
        raise PeerClosedError("it sent more than a value")
    return value


def _read(size: int) -> bytes:
    pieces = []
    while size:
        try:
            piece = os.read(CHANNEL, min(size, 1 << 20))
        except OSError as error:
            raise PeerClosedError("it closed the connection") from error
        if not piece:
            raise PeerClosedError("it closed the connection")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def serve(function: Callable[..., object]) -> None:
    """Answer calls of `function` until the other side is gone."""
    while True:
        try:
            arguments, named = receive()
        except PeerClosedError:
            return
        try:
            reply: tuple[object, ...] = (function(*arguments, **named),)
        except BaseException as error:  # noqa: BLE001 (any exception is the answer)
            reply = (_name(error), str(error)[:500])
        send(reply)


def _name(error: BaseException) -> str:
    """The name of its class, or of the built-in exception that it is derived from."""
    refined = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
    return (type(error) if refined in (Exception, BaseException) else refined).__name__


class Function:
    """The function that the other side serves; called, it raises

    - PeerClosedError if the other side has ended or does not follow the protocol;
    - the exception of the function, if it is a built-in one or derived from one, and otherwise RemoteError.
      StopIteration becomes RuntimeError, as in a generator: it would end a loop over `map` in the test, which would
      then have checked nothing. The last exception is kept in `raised`.
    """

    def __init__(self, name: str):
        self.__name__ = self.__qualname__ = name
        self.raised: Exception | None = None

    def __call__(self, *arguments: object, **named: object) -> object:
        """Send the arguments, wait for the answer."""
        try:
            send((arguments, named))
        except OSError as error:
            raise PeerClosedError("it closed the connection") from error
        reply = receive()
        if type(reply) is not tuple or len(reply) not in (1, 2):
            raise PeerClosedError("it sent a malformed answer")
        if len(reply) == 1:
            return reply[0]
        name, text = reply
        kind = getattr(builtins, name, None) if type(name) is str else None
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            kind = RemoteError
        if issubclass(kind, StopIteration):
            kind = RuntimeError
        try:
            self.raised = kind(text)
        except TypeError:  # UnicodeDecodeError and others take more than a message.
            self.raised = RemoteError(name, text)
        raise self.raised
