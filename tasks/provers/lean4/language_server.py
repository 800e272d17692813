"""Messages of the Language Server Protocol, as Lean's server speaks it: framing, and what it says of a document.

What a proof prints reaches these messages only as strings of JSON, so that it cannot look like another message.
"""

import json
from typing import Any, NamedTuple

ERROR, INFORMATION = 1, 3
"""Severities of a diagnostic."""

MAX_OUTPUT_BYTES = 16_000_000
"""Bytes of messages that one proof may cause."""

_MAX_HEAD_BYTES = 10_000


class NotAMessageError(ValueError):
    """Bytes that are not a message of the protocol."""


class Diagnostic(NamedTuple):
    """What Lean says of a place in a document: a severity, the line (from 0), and a text."""

    severity: int
    line: int
    text: str


def message(**content: Any) -> bytes:
    """A message to the server, framed."""
    body = json.dumps({"jsonrpc": "2.0", **content}, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Incoming:
    """The messages from a server, from the bytes that it writes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """Take further bytes."""
        self._bytes += data

    def take(self) -> dict[str, Any] | None:
        """The next whole message, or None.

        Raises:
            NotAMessageError: the bytes are not a message.
        """
        end = self._bytes.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
        if end < 0:
            if len(self._bytes) >= _MAX_HEAD_BYTES:
                raise NotAMessageError("a head without an end")
            return None
        try:
            fields = dict(line.lower().split(b":", 1) for line in bytes(self._bytes[:end]).split(b"\r\n"))
            size = int(fields[b"content-length"])
            if len(self._bytes) < end + 4 + size:
                return None
            found = json.loads(self._bytes[end + 4 : end + 4 + size])
        except (ValueError, KeyError) as error:
            raise NotAMessageError(f"not a message: {bytes(self._bytes[:80])!r}") from error
        del self._bytes[: end + 4 + size]
        if not isinstance(found, dict):
            raise NotAMessageError("a message that is not an object")
        return found


def diagnostics(found: dict[str, Any], version: int) -> list[Diagnostic] | None:
    """What a message says of this version of the document; None where it says something else.

    Raises:
        NotAMessageError: its fields are not those of the protocol.
    """
    try:
        if found.get("method") != "textDocument/publishDiagnostics" or found["params"].get("version") != version:
            return None
        return [
            Diagnostic(int(each["severity"]), int(each["range"]["start"]["line"]), str(each["message"]))
            for each in found["params"]["diagnostics"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAMessageError("diagnostics of another form") from error
