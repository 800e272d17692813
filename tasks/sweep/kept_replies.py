"""Storing the replies that a scorer has paid for, while its scores are still being worked out.

A reply is stored as soon as it comes, with others that came while the last were being written. So a run that is killed
loses the requests in flight, and the replies of a fraction of a second.
"""

import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tasks.errors import StoreUnavailableError, UserError
from tasks.scorers.checked import CheckedScorer
from tasks.scorers.replies import Replies
from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block
from tasks.store.sets import ScoreSet, now
from tasks.sweep.score_work import ScoreWork

PAUSE_S = 0.2
"""At least this long after one write ends, the next begins."""

_SHARE_OF_TIME = 0.05
"""Of the time, writing takes no more than this."""

_log = logging.getLogger(__name__)


class KeptReplies:
    """The replies for one block, stored by a separate thread while the `with` block lasts.

    `lock` is held while something is stored: what is stored later counts all that is stored earlier.
    """

    def __init__(
        self,
        scores: ScoreSet,
        block: Block,
        work: ScoreWork,
        scorer: CheckedScorer,
        *,
        samples_checksum: str,
        known: Mapping[bytes, float],
    ) -> None:
        self._scores = scores
        self._block = block
        self._checksum = samples_checksum
        self._work = work
        self._scorer = scorer
        self._started = time.monotonic()
        self._are_stored = bool(known)
        self._new = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.lock = threading.Lock()
        self.replies = Replies(known, self._new.set)

    @property
    def seconds(self) -> float:
        """Since scoring the block began in this run."""
        return time.monotonic() - self._started

    def __enter__(self) -> Self:
        if self._scorer.resumes:
            self._thread = threading.Thread(target=self._write_as_they_come, name="replies", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        unwritten = self._new.is_set()
        self._closed.set()
        self._new.set()
        self._thread.join()
        if unwritten:
            self._write()

    def scores_are_stored(self) -> None:
        """The scores given so far are stored: keep only the replies of samples that still lack one. Called with the
        lock."""
        self.replies.drop_settled(everything=not self._work.left)
        if self.replies.numbers():
            self._new.set()
        elif self._are_stored:
            self._scores.delete_replies(self._block)
            self._are_stored = False

    def _write_as_they_come(self) -> None:
        while True:
            self._new.wait()
            if self._closed.is_set():
                return
            self._new.clear()
            started = self.seconds
            self._write()
            self._closed.wait(max(PAUSE_S, (self.seconds - started) / _SHARE_OF_TIME))

    def _write(self) -> None:
        with self.lock:
            numbers = self.replies.numbers()
            if not numbers:
                return
            try:
                with self._work.counted(self._scorer) as used:
                    footer = ScoreFooter(
                        self._checksum,
                        self._scorer.version,
                        now(),
                        self.seconds,
                        self._work.left,
                        **used,
                    )
                    self._scores.write_replies(self._block, numbers, footer)
            except (OSError, StoreUnavailableError, UserError) as error:
                # Scores are stored later, and say so if the store stays away. The next reply is another try.
                _log.warning("replies for %s cannot be stored: %s", self._scores.url(self._block), error)
            else:
                self._are_stored = True
