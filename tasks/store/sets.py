"""Sets of samples and of verdicts: what is stored, what is owed, and nothing in between.

Invariant: the blocks of a set never overlap, and each holds exactly the samples that its key names. A damaged object
is moved aside under `damaged/` and owed again; nothing is ever deleted.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO

from tasks.errors import UserError
from tasks.records import GradedSample, Problem, Sample
from tasks.store import Store, parquet
from tasks.store.blocks import Block, overlap, parse
from tasks.store.footers import is_complete, read_footer, read_objects
from tasks.store.identity import Identity
from tasks.store.parquet import CorruptObjectError, Footer, SampleFooter, VerdictFooter

_log = logging.getLogger(__name__)


class SampleSet:
    """The samples of one configuration, under `samples/<name>/`."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self.store = store
        self.identity = identity
        self._prefix = f"samples/{identity.name}"

    def stored(self) -> dict[Block, SampleFooter]:
        """Every intact block with its footer, in order.

        Raises:
            UserError: two blocks hold the same sample, which no run of ours leaves behind.
        """
        found = _whole(self.store, self._prefix, parquet.sample_footer)
        clash = overlap(found)
        if clash is not None:
            urls = " and ".join(self.store.url(self._key(block)) for block in clash)
            raise UserError(f"store: {urls} hold the same samples; move one of them out of the set")
        return found

    def blocks(self) -> list[Block]:
        """Every block by its key alone: one listing, nothing is opened."""
        return sorted(block for key in self.store.keys(self._prefix) if (block := parse(key)) is not None)

    def write(
        self,
        block: Block,
        problems: Sequence[Problem],
        drawn: Sequence[Sample],
        engine: str,
        seconds: float,
        *,
        deterministic: bool | None = None,
    ) -> None:
        """Store a block drawn for the problems at its positions, by an engine of this version and promise.

        Raises:
            ValueError: the samples are not exactly those that the block names, each once.
        """
        by_name = {(sample.problem_id, sample.index): sample for sample in drawn}
        wanted = [(problem.id, index) for problem in problems for index in range(block.start, block.stop)]
        if len(drawn) != len(wanted) or by_name.keys() != set(wanted):
            raise ValueError(
                f"the engine answered {len(drawn)} samples for {block}, not just the {len(wanted)} asked for"
            )
        samples = [by_name[name] for name in wanted]
        counts = [sample.tokens for sample in samples if sample.tokens is not None]
        tokens = sum(counts) if len(counts) == len(samples) else None
        footer = SampleFooter(parquet.checksum(samples), tokens, engine, now(), seconds, deterministic)
        self.store.write(f"{self._prefix}/set.json", self.identity.to_json())
        self.store.write(self._key(block), parquet.write_samples(samples, footer, self._key(block)))

    def read(self, block: Block) -> tuple[list[Sample], SampleFooter]:
        """The samples of a block in order, checked against their checksum; raises CorruptObjectError."""
        return parquet.read_samples(self.store.read(self._key(block)), self._key(block))

    def columns(self, block: Block, names: Sequence[str]) -> Any:
        """Some columns of the samples of a block, as a `pyarrow.Table`; fetches no others. Raises as `read` does."""
        with self.store.open(self._key(block)) as file:
            return parquet.read_sample_columns(file, self._key(block), names)

    def url(self, block: Block) -> str:
        """Where a block lies."""
        return self.store.url(self._key(block))

    def set_aside(self, block: Block) -> None:
        """Move a damaged block away, so that it is owed again."""
        _set_aside(self.store, self._key(block))

    def _key(self, block: Block) -> str:
        return f"{self._prefix}/{block.key}"


class VerdictSet:
    """The verdicts of one grader under one set of limits on one set of samples, under `verdicts/<samples>/<name>/`."""

    def __init__(self, store: Store, samples: Identity, identity: Identity) -> None:
        self.store = store
        self.identity = identity
        self._prefix = f"verdicts/{samples.name}/{identity.name}"

    def stored(self) -> dict[Block, VerdictFooter]:
        """Every intact block with its footer, in order."""
        return _whole(self.store, self._prefix, parquet.verdict_footer)

    def owed(self, samples: Mapping[Block, SampleFooter]) -> list[Block]:
        """The blocks of samples without a verdict on just these samples, or with some that no sandbox could judge."""
        judged = self.stored()
        return [block for block, footer in samples.items() if not is_complete(judged.get(block), footer)]

    def owes(self, block: Block, samples: SampleFooter) -> bool:
        """Whether one block lacks a verdict on just these samples, looking at no other."""
        found = read_footer(self.store, self._key(block), parquet.verdict_footer)
        return isinstance(found, CorruptObjectError) or not is_complete(found, samples)

    def write(
        self, block: Block, graded_samples: Sequence[GradedSample], *, judged: str, sandbox: str, seconds: float
    ) -> None:
        """Store the verdicts on a block of samples with the checksum `judged`."""
        counts = Counter(graded.verdict.value for graded in graded_samples)
        footer = VerdictFooter(judged, sandbox, now(), seconds, dict(sorted(counts.items())))
        self.store.write(f"{self._prefix}/set.json", self.identity.to_json())
        self.store.write(self._key(block), parquet.write_verdicts(graded_samples, footer, self._key(block)))

    def read(self, block: Block, judged: SampleFooter) -> tuple[list[GradedSample], VerdictFooter]:
        """The verdicts on a block.

        Raises:
            CorruptObjectError: torn, or they judge other samples than these.
        """
        graded_samples, footer = parquet.read_verdicts(self.store.read(self._key(block)), self._key(block))
        self._refuse_others(block, footer, judged)
        return graded_samples, footer

    def columns(self, block: Block, judged: SampleFooter, names: Sequence[str]) -> tuple[Any, VerdictFooter]:
        """Some columns of the verdicts on a block, as a `pyarrow.Table`; fetches no others. Raises as `read` does."""
        with self.store.open(self._key(block)) as file:
            table, footer = parquet.read_verdict_table(file, self._key(block), names)
        self._refuse_others(block, footer, judged)
        return table, footer

    def _refuse_others(self, block: Block, footer: VerdictFooter, judged: SampleFooter) -> None:
        if footer.judged != judged.checksum:
            raise CorruptObjectError(f"{self.url(block)} judges other samples than those stored")

    def url(self, block: Block) -> str:
        """Where the verdicts on a block lie."""
        return self.store.url(self._key(block))

    def _key(self, block: Block) -> str:
        return f"{self._prefix}/{block.key}"


def _whole(store: Store, prefix: str, read: Callable[[BinaryIO, str], Footer]) -> dict[Block, Footer]:
    objects = read_objects(store, prefix, store.sizes(prefix), read)
    for block in objects.damaged:
        _set_aside(store, objects.key(block))
    return objects.footers


def _set_aside(store: Store, key: str) -> None:
    target = f"damaged/{datetime.now(UTC):%Y%m%dT%H%M%S}/{key}"
    with suppress(FileNotFoundError):  # another run was first
        store.move(key, target)
    _log.warning("%s is damaged: moved to %s, and owed again", store.url(key), store.url(target))


def now() -> str:
    """The time of day (UTC, ISO 8601) as objects carry it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
