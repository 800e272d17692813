"""Replies that a scorer has paid for, so that a score that takes several of them is not begun again from nothing."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping


def key_of(*asked: str | int) -> bytes:
    """What a reply is kept under: a hash of what was asked, and with which seed."""
    return hashlib.sha256(json.dumps(asked).encode()).digest()


class Replies:
    """Numbers that a scorer was told, by `key_of` what it asked. Several threads may use it at once.

    `known` are those of earlier runs. Each new one is followed by a call of `on_new`.
    """

    def __init__(self, known: Mapping[bytes, float] | None = None, on_new: Callable[[], None] | None = None) -> None:
        self._numbers = dict(known or {})
        self._used: set[bytes] = set()
        self._settled: set[bytes] = set()
        self._on_new = on_new
        self._lock = threading.Lock()

    def get(self, key: bytes) -> float | None:
        """The number that was told, or None where nobody has asked yet."""
        with self._lock:
            number = self._numbers.get(key)
            if number is not None:
                self._used.add(key)
            return number

    def add(self, key: bytes, number: float) -> None:
        """Keep a number."""
        with self._lock:
            self._numbers[key] = number
            self._used.add(key)
        if self._on_new is not None:
            self._on_new()

    def end_call(self, *, settled: bool) -> None:
        """A call of `score` has ended. `settled`: it scored all of its candidates, so that its replies are needed no
        longer than until these scores are stored."""
        with self._lock:
            if settled:
                self._settled |= self._used
            self._used = set()

    def drop_settled(self, *, everything: bool) -> None:
        """The scores of all calls that have ended are stored; `everything`: no sample lacks one."""
        with self._lock:
            for key in list(self._numbers) if everything else self._settled:
                self._numbers.pop(key, None)
            self._settled = set()

    def numbers(self) -> dict[bytes, float]:
        """All that are still needed."""
        with self._lock:
            return dict(self._numbers)
