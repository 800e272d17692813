"""Claims: who works on which part of a set, where several sweeps share nothing but the store.

A claim is a small object that its owner keeps renewing. Invariant: at most one live owner holds a claim, on any store
whose listings show every finished write. To take one, a sweep writes its own object and lists again; whoever then sees
another's backs off, so of two that write at once at most one goes on. A claim expires when its process has ended on
this machine, or when an observer has seen it unchanged for `expires_after_s` by the observer's own steady clock: no
clock is compared with another, and a clock that jumps expires nothing.

An object that is not a claim reserves its block as one of another machine would: for `expires_after_s`, unless it
changes. Then it is moved to `damaged/`.

A claim guards against work done twice, not against wrong results: samples are checked when they are written and read.
"""

import json
import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sandboxes.linux.process_identity import ProcessIdentity
from tasks.errors import UserError
from tasks.progress import progress
from tasks.store import Store
from tasks.store.documents import json_object
from tasks.store.quarantine import quarantine

_log = logging.getLogger(__name__)

EXPIRES_AFTER_S = 60.0
"""How long a claim may stay unchanged before it expires."""

_NO_CLAIM = "not a claim of a run"
_RENEWALS_BEFORE_EXPIRY = 4
_MAX_LIVE_AGE_S = 3_600.0


def abandoned(store: Store, key: str) -> str | None:
    """Why nobody needs a claim any more, or None where somebody may: its process has ended on this machine; it is an
    hour old, and a live one is renewed every few seconds; it is not a claim, and older than a minute. A clock that is
    wrong by as much makes this err; then some work is done twice."""
    try:
        holder = _holder(store.read(key))
        if holder is None:
            return "not a claim" if store.age_s(key) > EXPIRES_AFTER_S else None
        ended = holder.has_ended or store.age_s(key) > _MAX_LIVE_AGE_S
    except FileNotFoundError:
        return None
    return "claimed by a run that was killed" if ended else None


@dataclass
class Claims:
    """The claims of one worker under one prefix; renewed by a separate thread while the `with` block lasts."""

    store: Store
    prefix: str
    expires_after_s: float = EXPIRES_AFTER_S
    process: ProcessIdentity = field(default_factory=ProcessIdentity.here)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells several holders in one process apart."""

    def __post_init__(self) -> None:
        self._held: set[str] = set()
        self._left: set[str] = set()
        self._beat = 0
        self._seen: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="claims", daemon=True)

    def __enter__(self) -> Self:
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._renewer.join()
        for name in self._held | self._left:
            self._release(name)

    @contextmanager
    def take(self, name: str) -> Iterator[bool]:
        """Hold a claim while the `with` block lasts; False where another sweep holds it or is taking it."""
        taken = self._take(name)
        try:
            yield taken
        finally:
            if taken:
                self._release(name)

    def _take(self, name: str) -> bool:
        if self._others(name):
            return False
        with self._lock:
            self._held.add(name)
        self._write(name)
        if self._others(name):
            self._release(name)
            return False
        return True

    def _others(self, name: str) -> bool:
        """Whether another's claim is alive. Expired ones are deleted on the way, and what is not a claim is moved."""
        alive = False
        for key in self.store.keys(f"{self.prefix}/{name}"):
            if key == self._key(name):
                continue
            try:
                beat = self.store.read(key)
            except FileNotFoundError:
                continue
            holder = _holder(beat)
            if not self._has_expired(key, beat, holder):
                alive = True
            elif holder is None:
                quarantine(self.store, {key: _NO_CLAIM})
            else:
                self.store.delete(key)
        return alive

    def _has_expired(self, key: str, beat: bytes, holder: ProcessIdentity | None) -> bool:
        if holder is not None and holder.has_ended:
            return True
        known, since = self._seen.get(key, (None, 0.0))
        if beat == known:
            return time.monotonic() - since >= self.expires_after_s
        self._seen[key] = (beat, time.monotonic())
        if holder is None and known is None:
            line = (
                f"{self.store.url(key)} is {_NO_CLAIM}: waiting {self.expires_after_s:.0f} s for a run that renews it"
            )
            _log.warning(line)
            progress.get().say(line)
        return False

    def _write(self, name: str) -> None:
        text = json.dumps({"owner": {**self.process.to_dict(), "name": self.name}, "beat": self._beat})
        self.store.write(self._key(name), text.encode())

    def _release(self, name: str) -> None:
        with self._lock:
            self._held.discard(name)
            self._left.discard(name)
            try:
                self.store.delete(self._key(name))
            except (OSError, UserError) as error:
                # What the claim was for is done. It is deleted at the end; unchanged until then, it expires.
                self._left.add(name)
                _log.warning("claim %s could not be released: %s", name, error)

    def _renew(self) -> None:
        while not self._done.wait(self.expires_after_s / _RENEWALS_BEFORE_EXPIRY):
            self._beat += 1
            for name in list(self._held):
                with self._lock:
                    if name in self._held:
                        self._write_if_possible(name)

    def _write_if_possible(self, name: str) -> None:
        """A store that cannot be written for a moment must not end the renewals: the next one may get through."""
        try:
            self._write(name)
        except (OSError, UserError) as error:
            _log.warning("claim %s could not be renewed: %s", name, error)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}/{self.name}.json"


def _holder(beat: bytes) -> ProcessIdentity | None:
    """The process that holds a claim; None where the bytes are not a claim. A newer version may add fields."""
    try:
        owner = json_object(beat).get("owner")
    except ValueError:
        return None
    if not isinstance(owner, dict):
        return None
    machine, process = owner.get("machine"), owner.get("process")
    return ProcessIdentity(machine, process) if isinstance(machine, str) and isinstance(process, str) else None
