"""What a store holds: sets of samples with what they depend on, and the annotations on them, such as verdicts.

Only listings and footers are read, no text, and nothing is changed: a damaged object is named but stays where it is.
What a newer version wrote is named too, and left alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

from tasks.errors import UserError
from tasks.provers import UNCONFIRMED
from tasks.store import Store
from tasks.store.annotations import (
    KINDS,
    SCORES,
    VERDICTS,
    AnnotationKind,
    AnyAnnotationFooter,
    ScoreFooter,
    VerdictFooter,
)
from tasks.store.blocks import Block
from tasks.store.documents import json_object
from tasks.store.footers import Objects, current, is_complete, read_objects
from tasks.store.sample_layout import SampleFooter
from tasks.store.samples import sample_footer
from tasks.store.schema import SCHEMA, NewerSchemaError

_HASH_LENGTH = 12


class _Set:
    """What sets of samples and of annotations have in common."""

    name: str
    ingredients: Mapping[str, Any]

    @property
    def from_newer_version(self) -> bool:
        """Whether a newer version wrote it; then nothing but name, ingredients and size is known."""
        return from_newer_version(self.ingredients)


@dataclass(frozen=True, slots=True)
class StoredAnnotations(_Set, Generic[AnyAnnotationFooter]):
    """What one grader or scorer made of a set of samples.

    `current` are the footers of the blocks on samples as they are stored now. `pending` counts stored samples without a
    valid annotation: not annotated yet, annotated when they were others, or in a block where some failed.
    """

    kind: AnnotationKind[Any, AnyAnnotationFooter]
    name: str
    ingredients: Mapping[str, Any]
    objects: Objects[AnyAnnotationFooter]
    current: Mapping[Block, AnyAnnotationFooter]
    pending: int

    @property
    def label(self) -> str:
        """What made it, with its version, such as `final_answer v1`."""
        return f"{self.ingredients.get(self.kind.made_by, '?')} v{self.ingredients.get('version', '?')}"

    @property
    def written(self) -> str | None:
        """When the last block was written (UTC)."""
        return max((footer.written_at for footer in self.objects.footers.values()), default=None)

    def table(self, store: Store, block: Block, names: Sequence[str]) -> pa.Table | None:
        """Some columns of the annotations on a block, fetching no others; None where it has none, or they are on other
        samples than those stored.

        Raises:
            CorruptObjectError: they are damaged.
        """
        listed = self.current.get(block)
        if listed is None:
            return None
        key = self.objects.key(block)
        with store.open(key) as file:
            table, footer = self.kind.read_table(file, key, names)
        return table if footer.samples_checksum == listed.samples_checksum else None


def scored_samples(scores: StoredAnnotations[ScoreFooter]) -> int:
    """How many of the samples that are stored now have a score."""
    return sum(block.samples - footer.unscored for block, footer in scores.current.items())


def share_without(samples: "StoredSamples", annotations: StoredAnnotations[Any]) -> float:
    """The share of the stored samples that lack an annotation: not annotated yet, or lost to a failure. It is 0 where
    nothing is stored."""
    have = sum(block.samples - footer.failed for block, footer in annotations.current.items())
    return 1 - have / samples.samples if samples.samples else 0.0


AnyAnnotations = TypeVar("AnyAnnotations", bound=StoredAnnotations[Any])


@dataclass(frozen=True, slots=True)
class StoredVerdicts(StoredAnnotations[VerdictFooter]):
    """The verdicts of one grader on a set of samples."""

    @property
    def label(self) -> str:
        """The grader with its version, such as `proof v2`, and whether its proofs are not confirmed."""
        label = super(StoredVerdicts, self).label
        return f"{label} ({UNCONFIRMED})" if self.unconfirmed else label

    @property
    def unconfirmed(self) -> bool:
        """Whether correct proofs were only proposed (`tasks.provers`)."""
        return UNCONFIRMED in self.limits

    @property
    def counts(self) -> dict[str, int]:
        """How often each verdict was given."""
        counts: Counter[str] = Counter()
        for footer in self.current.values():
            counts.update(footer.counts)
        return dict(counts)

    @property
    def grader(self) -> str:
        """The grader with its version, such as `final_answer v1`."""
        return self.label

    @property
    def limits(self) -> Mapping[str, Any]:
        """What programs were allowed to use; empty where none was run."""
        limits = self.ingredients.get("limits")
        return limits if isinstance(limits, dict) else {}


@dataclass(frozen=True, slots=True)
class StoredSamples(_Set):
    """A set of samples with the annotations on it, the latest of each kind last."""

    name: str
    ingredients: Mapping[str, Any]
    objects: Objects[SampleFooter]
    annotations: tuple[StoredAnnotations[Any], ...]

    @property
    def verdicts(self) -> tuple[StoredVerdicts, ...]:
        """The verdict sets, the latest last."""
        return tuple(each for each in self.annotations if isinstance(each, StoredVerdicts))

    @property
    def scores(self) -> tuple[StoredAnnotations[ScoreFooter], ...]:
        """The score sets, the latest last."""
        return tuple(each for each in self.annotations if each.kind is SCORES)

    @property
    def label(self) -> str:
        """The name without its hash: dataset and model, or file."""
        return self.name[: -_HASH_LENGTH - 1]

    @property
    def in_order(self) -> list[tuple[Block, SampleFooter]]:
        """The intact blocks with their footers, by problem first, where a sweep goes by index first."""
        return sorted(self.objects.footers.items(), key=lambda item: (item[0].first, item[0].start))

    @property
    def by_problem(self) -> dict[int, int]:
        """How many samples are stored of the problem at each position."""
        held: Counter[int] = Counter()
        for block in self.objects.footers:
            for position in block.positions:
                held[position] += len(block.indices)
        return dict(sorted(held.items()))

    @property
    def samples(self) -> int:
        """How many samples are stored."""
        return sum(block.samples for block in self.objects.footers)

    @property
    def tokens(self) -> int | None:
        """How many tokens were drawn; None where an engine did not report some."""
        counts = [footer.tokens for footer in self.objects.footers.values()]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def engines(self) -> tuple[str, ...]:
        """Every engine that drew samples."""
        return tuple(sorted({footer.engine for footer in self.objects.footers.values()}))

    @property
    def reproducible(self) -> int:
        """How many samples the engine promised to draw the same again (`tasks.engines.Engine.deterministic`)."""
        return sum(block.samples for block, footer in self.objects.footers.items() if footer.reproducible)

    @property
    def written(self) -> str | None:
        """When the last block was drawn (UTC)."""
        return max((footer.drawn_at for footer in self.objects.footers.values()), default=None)

    def graded_by(self, name: str | None) -> StoredVerdicts | None:
        """The verdict set with this name, or the start of one; the latest where none is named, if there is any.

        Raises:
            UserError: no verdict set has this name, or several do.
            NewerSchemaError: a newer version wrote it.
        """
        return _chosen(name, self.verdicts, f"verdict set of {self.name}")

    def scored_by(self, name: str | None) -> StoredAnnotations[ScoreFooter] | None:
        """As `graded_by`, of score sets."""
        return _chosen(name, self.scores, f"score set of {self.name}")


def _chosen(name: str | None, sets: Sequence[AnyAnnotations], what: str) -> AnyAnnotations | None:
    if name is None:
        return next((each for each in reversed(sets) if not each.from_newer_version), None)
    of = {each.name: each for each in sets}
    chosen = of[choose(name, of, what)]
    if chosen.from_newer_version:
        raise NewerSchemaError.of(chosen.name, chosen.ingredients["schema"])
    return chosen


def catalog(store: Store) -> list[StoredSamples]:
    """Every set in a store, by name."""
    sizes = store.sizes("samples")
    by_set: dict[str, dict[str, int]] = {}
    for key, size in sizes.items():
        by_set.setdefault("/".join(key.split("/")[:2]), {})[key] = size
    return [_samples(store, name, by_set[f"samples/{name}"]) for name in names(sizes)]


def find(store: Store, name: str) -> StoredSamples:
    """The set with this name, or whose name or hash starts with it.

    Raises:
        UserError: no set has this name, or several do; the message lists the candidates.
        NewerSchemaError: a newer version wrote it.
    """
    sizes = store.sizes("samples")
    full = choose(name, names(sizes), f"sample set in {store.url('').rstrip('/')}")
    found = _samples(store, full, sizes)
    if found.from_newer_version:
        raise NewerSchemaError.of(full, found.ingredients["schema"])
    return found


def choose(prefix: str, names: Iterable[str], what: str) -> str:
    """The one name that starts with a prefix, or whose hash does.

    Raises:
        UserError: there is not exactly one; the message lists the candidates.
    """
    known = sorted(names)
    if prefix in known:
        return prefix
    fit = [each for each in known if prefix and (each.startswith(prefix) or _hash(each).startswith(prefix))]
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise UserError(f"{prefix!r} could be more than one {what}: {listed(fit)}")
    raise UserError(
        f"no {what} is called {prefix!r}; " + (f"there are: {listed(known)}" if known else "there is none at all")
    )


def read_ingredients(store: Store, prefix: str) -> dict[str, Any]:
    """What `set.json` says under a prefix; empty where it is absent or broken."""
    try:
        data = store.read(f"{prefix}/set.json")
    except FileNotFoundError:
        return {}
    try:
        return json_object(data)
    except ValueError:
        return {}


def from_newer_version(ingredients: Mapping[str, Any]) -> bool:
    """Whether a newer version wrote the set with these ingredients."""
    schema = ingredients.get("schema")
    return isinstance(schema, int) and schema > SCHEMA.major


def names(keys: Iterable[str], depth: int = 1) -> list[str]:
    """The folders that occur at some depth of these keys, sorted."""
    return sorted({parts[depth] for key in keys if len(parts := key.split("/")) > depth + 1})


def listed(names: list[str], limit: int = 8) -> str:
    """The first of some names, for a message."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _samples(store: Store, name: str, sizes: Mapping[str, int]) -> StoredSamples:
    prefix = f"samples/{name}"
    ingredients = read_ingredients(store, prefix)
    if from_newer_version(ingredients):
        return StoredSamples(name, ingredients, _unread(prefix, sizes), ())
    objects = read_objects(store, prefix, sizes, sample_footer)
    annotations = (each for kind in KINDS for each in _all_of_kind(store, kind, name, objects))
    return StoredSamples(name, ingredients, objects, tuple(annotations))


def _all_of_kind(
    store: Store, kind: AnnotationKind[Any, Any], samples: str, annotated: Objects[SampleFooter]
) -> list[StoredAnnotations[Any]]:
    sizes = store.sizes(f"{kind.folder}/{samples}")
    stored = StoredVerdicts if kind is VERDICTS else StoredAnnotations
    found: list[StoredAnnotations[Any]] = []
    for name in names(sizes, depth=2):
        prefix = f"{kind.folder}/{samples}/{name}"
        ingredients = read_ingredients(store, prefix)
        if from_newer_version(ingredients):
            objects = _unread(prefix, sizes)
        else:
            objects = read_objects(store, prefix, sizes, kind.read_footer)
        valid = current(objects.footers, annotated.footers)
        pending = (block for block, footer in annotated.footers.items() if not is_complete(valid.get(block), footer))
        found.append(stored(kind, name, ingredients, objects, valid, sum(block.samples for block in pending)))
    return sorted(found, key=lambda each: (each.written or "", each.name))


def _unread(prefix: str, sizes: Mapping[str, int]) -> Objects[Any]:
    return Objects(prefix, {}, {}, sum(size for key, size in sizes.items() if key.startswith(f"{prefix}/")))


def _hash(name: str) -> str:
    return name[-_HASH_LENGTH:]
