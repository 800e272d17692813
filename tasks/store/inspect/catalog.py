"""What lies in a store: sets of samples with what they depend on, and the verdicts on them.

Listings and footers are read, and nothing is changed: not a text is fetched, and a damaged object is named but stays
where it is. What a newer version wrote is named too, and left alone.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.errors import UserError
from tasks.store import Store
from tasks.store.footers import Objects, is_complete, read_objects
from tasks.store.identity import SCHEMA
from tasks.store.parquet import NewerSchemaError, SampleFooter, VerdictFooter, sample_footer, verdict_footer

_HASH_LENGTH = 12


class _Set:
    """What sets of samples and of verdicts have in common."""

    name: str
    ingredients: Mapping[str, Any]

    @property
    def is_newer(self) -> bool:
        """Whether a newer version wrote it; then nothing but name, ingredients and size is known."""
        return is_newer(self.ingredients)


@dataclass(frozen=True, slots=True)
class StoredVerdicts(_Set):
    """The verdicts of one grader on a set. `owed` counts stored samples without a verdict that holds: not judged yet,
    judged when they were others, or in a block where the sandbox failed on some."""

    name: str
    ingredients: Mapping[str, Any]
    objects: Objects[VerdictFooter]
    counts: dict[str, int]
    owed: int

    @property
    def grader(self) -> str:
        """The grader with its version, such as `final_answer v1`."""
        return f"{self.ingredients.get('grader', '?')} v{self.ingredients.get('version', '?')}"

    @property
    def limits(self) -> Mapping[str, Any]:
        """What programs were allowed to use; empty where none was run."""
        return dict(self.ingredients.get("limits", {}))

    @property
    def written(self) -> str | None:
        """When the last block was judged (UTC)."""
        return max((footer.graded_at for footer in self.objects.footers.values()), default=None)


@dataclass(frozen=True, slots=True)
class StoredSamples(_Set):
    """A set of samples with the verdicts on it, the latest last."""

    name: str
    ingredients: Mapping[str, Any]
    objects: Objects[SampleFooter]
    verdicts: tuple[StoredVerdicts, ...]

    @property
    def label(self) -> str:
        """The name without its hash: task and model, or file."""
        return self.name[: -_HASH_LENGTH - 1]

    @property
    def by_problem(self) -> dict[int, int]:
        """How many samples are stored of the problem at each position."""
        held: Counter[int] = Counter()
        for block in self.objects.footers:
            for position in range(block.first, block.last):
                held[position] += block.stop - block.start
        return dict(sorted(held.items()))

    @property
    def samples(self) -> int:
        """How many samples are stored."""
        return sum(block.samples for block in self.objects.footers)

    @property
    def tokens(self) -> int | None:
        """How many tokens were drawn, None where an engine did not know."""
        counts = [footer.tokens for footer in self.objects.footers.values()]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def engines(self) -> tuple[str, ...]:
        """All that drew samples."""
        return tuple(sorted({footer.engine for footer in self.objects.footers.values()}))

    @property
    def promised(self) -> int:
        """How many samples an engine drew that promises the same ones again (`tasks.engines.Engine.deterministic`)."""
        return sum(block.samples for block, footer in self.objects.footers.items() if footer.deterministic)

    @property
    def written(self) -> str | None:
        """When the last block was drawn (UTC)."""
        return max((footer.drawn_at for footer in self.objects.footers.values()), default=None)

    def graded_by(self, name: str | None) -> StoredVerdicts | None:
        """The verdict set with this name, or the start of one; the latest where none is named, if there is any.

        Raises:
            UserError: no verdict set is named so, or several are.
            NewerSchemaError: a newer version wrote it.
        """
        if name is None:
            return next((each for each in reversed(self.verdicts) if not each.is_newer), None)
        of = {verdicts.name: verdicts for verdicts in self.verdicts}
        chosen = of[choose(name, of, f"verdict set of {self.name}")]
        if chosen.is_newer:
            raise NewerSchemaError.of(chosen.name, chosen.ingredients["schema"])
        return chosen


def catalog(store: Store) -> list[StoredSamples]:
    """Every set in a store, by name."""
    sizes = store.sizes("samples")
    return [_samples(store, name, sizes) for name in names(sizes)]


def find(store: Store, name: str) -> StoredSamples:
    """The set with this name, or with a name (or hash) that starts so.

    Raises:
        UserError: no set is named so, or several are; the message lists them.
        NewerSchemaError: a newer version wrote it.
    """
    sizes = store.sizes("samples")
    full = choose(name, names(sizes), f"sample set in {store.url('').rstrip('/')}")
    found = _samples(store, full, sizes)
    if found.is_newer:
        raise NewerSchemaError.of(full, found.ingredients["schema"])
    return found


def choose(prefix: str, names: Iterable[str], what: str) -> str:
    """The one name that starts so, or whose hash does.

    Raises:
        UserError: there is none, or more than one; the message lists the candidates.
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
        document = json.loads(store.read(f"{prefix}/set.json"))
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def is_newer(ingredients: Mapping[str, Any]) -> bool:
    """Whether a newer version wrote the set with these ingredients."""
    schema = ingredients.get("schema")
    return isinstance(schema, int) and schema > SCHEMA


def names(keys: Iterable[str], depth: int = 1) -> list[str]:
    """The folders that occur at some depth of these keys, sorted."""
    return sorted({parts[depth] for key in keys if len(parts := key.split("/")) > depth + 1})


def listed(names: list[str], most: int = 8) -> str:
    """The first of some names, for a message."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _samples(store: Store, name: str, sizes: Mapping[str, int]) -> StoredSamples:
    prefix = f"samples/{name}"
    ingredients = read_ingredients(store, prefix)
    of_verdicts = store.sizes(f"verdicts/{name}")
    samples = StoredSamples(name, ingredients, _unread(prefix, sizes), ())
    if samples.is_newer:
        return samples
    objects = read_objects(store, prefix, sizes, sample_footer)
    verdicts = [_verdicts(store, name, each, of_verdicts, objects) for each in names(of_verdicts, depth=2)]
    verdicts.sort(key=lambda each: (each.written or "", each.name))
    return StoredSamples(name, ingredients, objects, tuple(verdicts))


def _verdicts(
    store: Store, samples: str, name: str, sizes: Mapping[str, int], judged: Objects[SampleFooter]
) -> StoredVerdicts:
    prefix = f"verdicts/{samples}/{name}"
    stored = sum(block.samples for block in judged.footers)
    verdicts = StoredVerdicts(name, read_ingredients(store, prefix), _unread(prefix, sizes), {}, stored)
    if verdicts.is_newer:
        return verdicts
    objects = read_objects(store, prefix, sizes, verdict_footer)
    counts: Counter[str] = Counter()
    due = 0
    for block, samples_footer in judged.footers.items():
        footer = objects.footers.get(block)
        if footer is not None and footer.judged == samples_footer.checksum:
            counts.update(footer.counts)
        due += 0 if is_complete(footer, samples_footer) else block.samples
    return StoredVerdicts(name, verdicts.ingredients, objects, dict(counts), due)


def _unread(prefix: str, sizes: Mapping[str, int]) -> Objects[Any]:
    return Objects(prefix, {}, {}, sum(size for key, size in sizes.items() if key.startswith(f"{prefix}/")))


def _hash(name: str) -> str:
    return name[-_HASH_LENGTH:]
