"""Replies of a REPL cut out of the bytes that it writes: each ends at an empty line, which JSON cannot contain."""

from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES

_END = b"\n\n"


class TooLongError(RuntimeError):
    """A reply is longer than is read."""


class Frames:
    """Collects bytes; `take` gives the next whole reply. Takes time linear in their number."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Add what was read.

        Raises:
            TooLongError: a reply is longer than `MAX_REPLY_BYTES`.
        """
        self._data += data
        if len(self._data) > MAX_REPLY_BYTES:
            raise TooLongError

    def take(self) -> bytes | None:
        """The text of the next reply; None if it is not complete yet."""
        while (end := self._data.find(_END, self._searched)) >= 0:
            frame = bytes(self._data[:end]).strip()
            del self._data[: end + len(_END)]
            self._searched = 0
            if frame:
                return frame
        self._searched = max(0, len(self._data) - 1)
        return None

    @property
    def pending(self) -> bool:
        """Whether there is anything that is not taken, other than line breaks."""
        return bool(self._data.strip())
