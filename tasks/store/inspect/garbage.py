"""What a store can do without: leftovers of killed writers, abandoned claims, quarantined objects, and annotations on
samples that are gone.

Nothing that a sweep counts is garbage. It is found by listings and footers; only `delete` changes anything.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tasks.store import Store
from tasks.store.annotations import KINDS, AnnotationKind
from tasks.store.blocks import Block, parse
from tasks.store.claims import abandoned
from tasks.store.footers import is_complete, read_objects
from tasks.store.inspect.catalog import from_newer_version, names, read_ingredients
from tasks.store.replies import block_of_replies
from tasks.store.samples import sample_footer

_MAX_WRITING_S = 3_600.0


class Garbage(NamedTuple):
    """An object that can go, and why."""

    key: str
    bytes: int
    why: str


def garbage(store: Store) -> list[Garbage]:
    """Everything that can go. Sets that a newer version wrote are left alone.

    A sweep may be running: annotations are listed before samples, so that those on a block drawn just now are safe.
    """
    annotations = [(kind, store.sizes(kind.folder)) for kind in KINDS]
    samples = store.sizes("samples")
    found = [
        Garbage(each.key, each.bytes, "left by a writer that was killed")
        for each in store.temporaries()
        if each.age_s > _MAX_WRITING_S
    ]
    found += [
        Garbage(key, size, why)
        for key, size in store.sizes("claims").items()
        if (why := abandoned(store, key)) is not None
    ]
    found += [Garbage(key, size, "quarantined as damaged") for key, size in store.sizes("damaged").items()]
    for kind, sizes in annotations:
        for annotated in names(sizes):
            found += _orphans(store, kind, annotated, sizes, samples)
    return found


def delete(store: Store, found: Iterable[Garbage]) -> None:
    """Remove these objects for good."""
    for each in found:
        store.delete(each.key)


def _orphans(
    store: Store, kind: AnnotationKind[Any, Any], annotated: str, sizes: dict[str, int], samples: dict[str, int]
) -> Iterator[Garbage]:
    prefix = f"samples/{annotated}"
    if from_newer_version(read_ingredients(store, prefix)):
        return
    stored = read_objects(store, prefix, samples, sample_footer)
    samples_gone = not any(key.startswith(f"{prefix}/") for key in samples)

    def is_orphan(block: Block, checksum: str) -> bool:
        # A damaged block of samples may be drawn the same again: the annotations on it wait.
        footer = stored.footers.get(block)
        return block not in stored.damaged and (footer is None or footer.checksum != checksum)

    of_set = {key: size for key, size in sizes.items() if key.startswith(f"{kind.folder}/{annotated}/")}
    for name in names(of_set, depth=2):
        folder = f"{kind.folder}/{annotated}/{name}"
        if from_newer_version(read_ingredients(store, folder)):
            continue
        objects = read_objects(store, folder, of_set, kind.read_footer)
        orphans = {
            objects.key(block) for block, footer in objects.footers.items() if is_orphan(block, footer.samples_checksum)
        }
        inside = {key for key in of_set if key.startswith(f"{folder}/")}
        # While there is a sample set, a run may annotate its next block, and it writes `set.json` only once.
        if samples_gone and orphans == {key for key in inside if parse(key) is not None}:
            orphans = inside
        for key in sorted(orphans):
            yield Garbage(key, of_set[key], f"{kind.folder} on samples that are gone")
        for key in sorted(inside - orphans):
            block = block_of_replies(key)
            if block is None or block in stored.damaged:
                continue
            if block not in stored.footers:
                yield Garbage(key, of_set[key], "replies of a scorer on samples that are gone")
            elif is_complete(objects.footers.get(block), stored.footers[block]):
                yield Garbage(key, of_set[key], "replies of a scorer for scores that are stored")
