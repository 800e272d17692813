"""The XML protocol of `coqidetop`, as little of it as adding, running and taking back sentences needs.

What a proof prints arrives as text in which `<` and `&` are escaped: no output of a proof can look like a reply.
(`coqidetop --help-XML-protocol` lists the calls and their types.)
"""

import re
from html import escape, unescape
from typing import NamedTuple

MAX_OUTPUT_BYTES = 16 * 1024 * 1024
"""Bytes that a proof may make the process write, most of them messages."""

_OPENING, _CLOSING = b"<value", b"</value>"
_STATE = re.compile(r'<state_id val="(\d+)"/>')
_TAGS = re.compile(r"<[^>]*>")

INITIALISE = b'<call val="Init"><option val="none"/></call>'
RUN = b'<call val="Status"><bool val="true"/></call>'
"""Runs all that was added; the reply comes when it has."""


class Reply(NamedTuple):
    """The reply to a call. `state` is the new state after the call, where it makes one; `nothing_open` says after `RUN`
    that no proof is open. `message` is what went wrong, in one line."""

    good: bool
    state: int | None
    plain: bool
    nothing_open: bool
    message: str


def add(sentence: str, state: int) -> bytes:
    """The call that adds a sentence after a state; it is parsed, but not run. Quotes stay as they are, because the
    process does not read the reference that `html.escape` has for an apostrophe."""
    text = escape(sentence, quote=False)
    at = f'<pair><pair><string>{text}</string><int>-1</int></pair><pair><state_id val="{state}"/>'
    end = '<bool val="false"/></pair></pair><int>0</int></pair><pair><int>0</int><int>0</int></pair></pair></call>'
    return f'<call val="Add"><pair><pair>{at}{end}'.encode()


def back_to(state: int) -> bytes:
    """The call that takes back everything after a state."""
    return f'<call val="Edit_at"><state_id val="{state}"/></call>'.encode()


class Replies:
    """Cuts the output of the process into replies, and drops everything between them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Add output."""
        self._buffer += data

    def take(self) -> Reply | None:
        """The next whole reply, if there is one."""
        end = self._buffer.find(_CLOSING, self._searched)
        if end < 0:
            start = self._buffer.find(_OPENING)
            kept = len(self._buffer) - len(_OPENING) if start < 0 else start
            del self._buffer[: max(0, kept)]
            self._searched = max(0, len(self._buffer) - len(_CLOSING))
            return None
        start = self._buffer.rfind(_OPENING, 0, end)
        text = bytes(self._buffer[max(0, start) : end]).decode(errors="replace")
        del self._buffer[: end + len(_CLOSING)]
        self._searched = 0
        return _read(text)


def _read(text: str) -> Reply:
    good = text.startswith('<value val="good"')
    state = _STATE.search(text)
    message = "" if good else " ".join(unescape(_TAGS.sub("", text)).split())
    return Reply(
        good=good,
        state=int(state[1]) if good and state else None,
        plain='<union val="in_l">' in text,
        nothing_open='<option val="none"/><list/>' in text,
        message=message,
    )
