"""Sets of samples and of annotations on them, such as verdicts: what is stored, and what is missing or pending.

Invariant: the blocks of a set never overlap, and each holds exactly the samples that its key names. A damaged object
is moved to `damaged/`, and its samples or verdicts are missing or pending again; nothing is ever deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, BinaryIO, ClassVar, Generic

import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.records import GradedSample, Problem, Sample, ScoredSample
from tasks.store import Store, samples
from tasks.store.annotations import (
    SCORES,
    VERDICTS,
    AnnotationKind,
    AnyAnnotationFooter,
    ScoreFooter,
    VerdictFooter,
)
from tasks.store.blocks import PROBLEMS_A_BLOCK, Block, directly_under, overlap
from tasks.store.documents import json_object
from tasks.store.footers import Objects, is_complete, read_footer, read_objects
from tasks.store.identity import Identity
from tasks.store.parquet import AnyFooter, Record
from tasks.store.problems import StoredProblem, fault_in_problems, problems_key, write_problems
from tasks.store.quarantine import quarantine
from tasks.store.replies import read_replies, replies_key, write_replies
from tasks.store.sample_columns import SampleColumns
from tasks.store.sample_layout import SampleFooter
from tasks.store.schema import CorruptObjectError


class StoredSet:
    """What sets of both kinds share: blocks under a prefix, next to the `set.json` with their ingredients."""

    def __init__(self, store: Store, identity: Identity, prefix: str) -> None:
        self.store = store
        self.identity = identity
        self._prefix = prefix
        self._ingredients_written = False

    def url(self, block: Block) -> str:
        """Where a block is stored."""
        return self.store.url(self._key(block))

    def quarantine(self, block: Block, reason: str = "set aside on request") -> None:
        """Move a damaged block away, so that its samples are missing, or its annotations pending, again."""
        quarantine(self.store, {self._key(block): reason})

    def restore_ingredients(self) -> None:
        """Write `set.json` again where it is absent or damaged."""
        key = f"{self._prefix}/set.json"
        try:
            if json_object(self.store.read(key)) == self.identity.ingredients:
                return
            fault = "its ingredients do not match the name of the set"
        except FileNotFoundError:
            fault = None
        except ValueError as error:
            fault = str(error)
        if fault is not None:
            quarantine(self.store, {key: fault})
        self.store.write(key, self.identity.to_json())

    def _objects(self, read: Callable[[BinaryIO, str], AnyFooter]) -> Objects[AnyFooter]:
        return read_objects(self.store, self._prefix, self.store.sizes(self._prefix), read)

    def _footer(self, block: Block, read: Callable[[BinaryIO, str], AnyFooter]) -> AnyFooter | None:
        found: AnyFooter | CorruptObjectError | None = read_footer(self.store, self._key(block), read)
        return None if isinstance(found, CorruptObjectError) else found

    def _intact(self, objects: Objects[AnyFooter]) -> dict[Block, AnyFooter]:
        quarantine(self.store, objects.faults)
        return objects.footers

    def _store(self, key: str, data: bytes) -> None:
        # Before the first object of this process: no block is ever without it, and nobody removes it. With each block
        # it would be as many writes as blocks, all of the same bytes.
        if not self._ingredients_written:
            self.store.write(f"{self._prefix}/set.json", self.identity.to_json())
            self._ingredients_written = True
        self.store.write(key, data)

    def _key(self, block: Block) -> str:
        return f"{self._prefix}/{block.key}"


class SampleSet(StoredSet):
    """The samples of one configuration, under `samples/<name>/`."""

    def __init__(self, store: Store, identity: Identity) -> None:
        super().__init__(store, identity, f"samples/{identity.name}")

    def stored(self) -> dict[Block, SampleFooter]:
        """Every intact block with its footer, in order.

        Raises:
            UserError: two blocks hold the same sample, which no run of ours leaves behind.
        """
        found = self._intact(self._objects(samples.sample_footer))
        clash = overlap(found)
        if clash is not None:
            urls = " and ".join(self.store.url(self._key(block)) for block in clash)
            raise UserError(f"store: {urls} hold the same samples; move one of them out of the set")
        return found

    def stored_footer(self, block: Block) -> SampleFooter | None:
        """The footer of one block, looking at no other; None if it is not stored, or damaged."""
        return self._footer(block, samples.sample_footer)

    def blocks(self) -> list[Block]:
        """Every block by its key alone: one listing, nothing is opened."""
        return directly_under(self._prefix, self.store.keys(self._prefix))

    def blocks_near(self, block: Block) -> list[Block]:
        """Those blocks by their keys alone that may hold samples of the same problems, and perhaps others: a set of
        100,000 problems has thousands of blocks, and one is looked for each time one is drawn."""
        starts = (block.first // PROBLEMS_A_BLOCK * PROBLEMS_A_BLOCK, block.last - 1)
        beginning = _common_beginning(*(Block(0, 1, at, at + 1).key.partition("-")[0] for at in starts))
        return directly_under(self._prefix, self.store.keys_of_folders(self._prefix, beginning))

    def write(
        self,
        block: Block,
        problems: Sequence[Problem],
        drawn: Sequence[Sample],
        engine: str,
        seconds: float,
        *,
        reproducible: bool | None = None,
    ) -> None:
        """Store a block drawn for the problems at its positions, by this version of an engine; `reproducible` is
        whether the engine promises to draw the same samples again.

        Raises:
            ValueError: the samples are not exactly those that the block names, each once.
        """
        columns = SampleColumns.of(drawn)
        order = columns.order([problem.id for problem in problems], block.indices)
        if order is None:
            wanted = len(problems) * len(block.indices)
            raise ValueError(f"the engine returned {len(drawn)} samples for {block}, not just the {wanted} asked for")
        if (np.diff(order) < 0).any():
            columns = columns.take(order)
        data = samples.write_samples(
            columns,
            self._key(block),
            engine=engine,
            drawn_at=now(),
            seconds=seconds,
            reproducible=reproducible,
        )
        self._store(self._key(block), data)

    def write_problems(self, problems: Callable[[], Iterable[StoredProblem]]) -> None:
        """Store all problems of the dataset, in order, unless they are stored: what is, is compared with them, and set
        aside where it is damaged."""
        key = problems_key(self.identity.name)
        try:
            fault = fault_in_problems(self.store, self.identity.name, problems())
        except FileNotFoundError:
            fault = None
        else:
            if fault is None:
                return
            quarantine(self.store, {key: fault})
        self._store(key, write_problems(problems(), key))

    def read(self, block: Block) -> tuple[list[Sample], SampleFooter]:
        """The samples of a block in order, checked against their checksum; raises CorruptObjectError."""
        return samples.read_samples(self.store.read(self._key(block)), self._key(block))

    def read_in_parts(self, block: Block, most: int) -> tuple[Iterator[Any], SampleFooter]:
        """As `read`, as a `pyarrow.Table` with all columns, or one a problem where all together take more than
        `most` bytes."""
        return samples.read_in_parts(self.store.read(self._key(block)), self._key(block), most)

    def columns(self, block: Block, names: Sequence[str]) -> Any:
        """Some columns of the samples of a block, as a `pyarrow.Table`; fetches no others. Raises as `read` does."""
        with self.store.open(self._key(block)) as file:
            return samples.read_sample_columns(file, self._key(block), names)


class AnnotationSet(StoredSet, Generic[Record, AnyAnnotationFooter]):
    """What one grader or scorer made of one set of samples, under `<kind>/<samples>/<name>/`, in blocks of the same
    keys. Subclasses set `kind`."""

    kind: ClassVar[AnnotationKind[Any, Any]]

    def __init__(self, store: Store, samples: Identity, identity: Identity) -> None:
        super().__init__(store, identity, f"{self.kind.folder}/{samples.name}/{identity.name}")

    def stored(self) -> dict[Block, AnyAnnotationFooter]:
        """Every intact block with its footer, in order."""
        return self._intact(self.objects())

    def objects(self) -> Objects[AnyAnnotationFooter]:
        """Every block with its footer, and what is wrong with the damaged ones, which stay where they are."""
        return self._objects(self.kind.read_footer)

    def pending(self, samples: Mapping[Block, SampleFooter]) -> list[Block]:
        """The blocks of samples without annotations on just these samples, or with some that failed."""
        stored = self.stored()
        return [block for block, footer in samples.items() if not is_complete(stored.get(block), footer)]

    def is_pending(self, block: Block, samples: SampleFooter) -> bool:
        """Whether one block is pending, looking at no other."""
        return not is_complete(self.stored_footer(block), samples)

    def stored_footer(self, block: Block) -> AnyAnnotationFooter | None:
        """The footer of one block, looking at no other; None if it is not stored, or damaged."""
        found: AnyAnnotationFooter | None = self._footer(block, self.kind.read_footer)
        return found

    def write(
        self,
        block: Block,
        records: Sequence[Record] | pa.Table,
        *,
        samples_checksum: str,
        made_by: str,
        seconds: float,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Store the annotations on a block of samples with this checksum, as records or as a table of the kind's
        layout; `more` are fields that footers of this kind may have."""
        key = self._key(block)
        data = self.kind.write(
            records,
            key,
            samples_checksum=samples_checksum,
            made_by=made_by,
            written_at=now(),
            seconds=seconds,
            more=more,
        )
        self._store(self._key(block), data)

    def read(self, block: Block, samples: SampleFooter) -> tuple[list[Record], AnyAnnotationFooter]:
        """The annotations on a block.

        Raises:
            CorruptObjectError: torn, or they are on other samples than these.
        """
        records, footer = self.kind.read(self.store.read(self._key(block)), self._key(block))
        self._refuse_others(block, footer, samples)
        return records, footer

    def columns(self, block: Block, samples: SampleFooter, names: Sequence[str]) -> tuple[Any, AnyAnnotationFooter]:
        """Some columns of the annotations on a block, as a `pyarrow.Table`; fetches no others. Raises as `read`
        does."""
        with self.store.open(self._key(block)) as file:
            table, footer = self.kind.read_table(file, self._key(block), names)
        self._refuse_others(block, footer, samples)
        return table, footer

    def _refuse_others(self, block: Block, footer: AnyAnnotationFooter, samples: SampleFooter) -> None:
        if footer.samples_checksum != samples.checksum:
            raise CorruptObjectError(self._key(block), f"it has {self.kind.folder} on other samples than those stored")


class VerdictSet(AnnotationSet[GradedSample, VerdictFooter]):
    """The verdicts of one grader under one set of limits on one set of samples."""

    kind = VERDICTS


class ScoreSet(AnnotationSet[ScoredSample, ScoreFooter]):
    """The scores of one scorer, such as a reward model, on one set of samples."""

    kind = SCORES

    def write_replies(self, block: Block, replies: Mapping[bytes, float], footer: ScoreFooter) -> None:
        """Store the replies that a scorer has paid for, instead of those that are stored for this block."""
        key = replies_key(self._key(block))
        self._store(key, write_replies(replies, footer, key))

    def read_replies(self, block: Block) -> tuple[dict[bytes, float], ScoreFooter] | None:
        """The replies that are stored for a block, and what all runs had used by then; None where there are none.
        Damaged ones are set aside.

        Raises:
            NewerSchemaError: a newer version wrote them.
        """
        key = replies_key(self._key(block))
        try:
            return read_replies(self.store.read(key), key)
        except FileNotFoundError:
            return None
        except CorruptObjectError as error:
            quarantine(self.store, {key: error.reason})
            return None

    def delete_replies(self, block: Block) -> None:
        """Remove the replies for a block, whose scores are stored."""
        self.store.delete(replies_key(self._key(block)))


def _common_beginning(one: str, other: str) -> str:
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def now() -> str:
    """The current time (UTC, ISO 8601), as objects carry it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
