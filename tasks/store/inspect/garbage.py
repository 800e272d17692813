"""What a store can do without: leftovers of killed writers, claims of the dead, damaged objects set aside, verdicts on
samples now gone.

Nothing that a sweep counts is garbage. To find it is to read listings and footers; only `delete` changes anything.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.store import Store
from tasks.store.blocks import Block, parse
from tasks.store.claims import is_abandoned
from tasks.store.footers import read_objects
from tasks.store.inspect.catalog import is_newer, names, read_ingredients
from tasks.store.parquet import sample_footer, verdict_footer

_WRITING_TAKES_AT_MOST_S = 3_600.0


class Garbage(NamedTuple):
    """An object that can go, and why."""

    key: str
    bytes: int
    why: str


def garbage(store: Store) -> list[Garbage]:
    """Everything that can go. Sets that a newer version wrote are left alone.

    A sweep may run meanwhile: verdicts are listed before samples, so that those on a block drawn just now are safe.
    """
    verdicts = store.sizes("verdicts")
    samples = store.sizes("samples")
    found = [
        Garbage(each.key, each.bytes, "left by a writer that was killed")
        for each in store.temporaries()
        if each.age_s > _WRITING_TAKES_AT_MOST_S
    ]
    found += [
        Garbage(key, size, "claimed by a run that was killed")
        for key, size in store.sizes("claims").items()
        if is_abandoned(store, key)
    ]
    found += [Garbage(key, size, "set aside as damaged") for key, size in store.sizes("damaged").items()]
    for judged in names(verdicts):
        found += _orphans(store, judged, verdicts, samples)
    return found


def delete(store: Store, found: Iterable[Garbage]) -> None:
    """Remove these objects for good."""
    for each in found:
        store.delete(each.key)


def _orphans(store: Store, judged: str, verdicts: dict[str, int], samples: dict[str, int]) -> Iterator[Garbage]:
    prefix = f"samples/{judged}"
    if is_newer(read_ingredients(store, prefix)):
        return
    stored = read_objects(store, prefix, samples, sample_footer)

    def is_orphan(block: Block, judges: str) -> bool:
        # A damaged block of samples may come back the same: the verdicts on it wait.
        footer = stored.footers.get(block)
        return block not in stored.damaged and (footer is None or footer.checksum != judges)

    of_set = {key: size for key, size in verdicts.items() if key.startswith(f"verdicts/{judged}/")}
    for name in names(of_set, depth=2):
        folder = f"verdicts/{judged}/{name}"
        if is_newer(read_ingredients(store, folder)):
            continue
        objects = read_objects(store, folder, of_set, verdict_footer)
        orphans = {objects.key(block) for block, footer in objects.footers.items() if is_orphan(block, footer.judged)}
        inside = {key for key in of_set if key.startswith(f"{folder}/")}
        if orphans == {key for key in inside if parse(key) is not None}:
            orphans = inside
        for key in sorted(orphans):
            yield Garbage(key, of_set[key], "judges samples that are gone")
