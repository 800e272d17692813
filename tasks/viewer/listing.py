"""What a store holds, from listings and `set.json` alone: no block is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.store import Store
from tasks.store.blocks import Block, directly_under
from tasks.store.inspect.catalog import from_newer_version, names, read_ingredients


@dataclass(frozen=True, slots=True)
class ListedVerdicts:
    """A verdict set as its folder shows it."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def samples(self) -> int:
        """How many samples have a verdict, should all of them be on samples as they are stored now."""
        return sum(block.samples for block in self.blocks)


@dataclass(frozen=True, slots=True)
class ListedSet:
    """A sample set as its folder shows it. `bytes` counts its samples alone."""

    name: str
    ingredients: Mapping[str, Any]
    blocks: tuple[Block, ...]
    bytes: int
    verdicts: tuple[ListedVerdicts, ...]

    @property
    def problems(self) -> int:
        """How many problems have samples."""
        return len({position for block in self.blocks for position in block.positions})

    @property
    def samples(self) -> int:
        """How many samples are stored."""
        return sum(block.samples for block in self.blocks)

    @property
    def k(self) -> int:
        """One more than the largest index of a sample."""
        return max((block.stop for block in self.blocks), default=0)

    @property
    def from_newer_version(self) -> bool:
        """Whether a newer version wrote it, so that it cannot be opened."""
        return from_newer_version(self.ingredients)


def listed_sets(store: Store, known: dict[str, Mapping[str, Any]]) -> list[ListedSet]:
    """Every set, by name. `known` keeps ingredients, which never change under one name, from one call to the next."""
    sizes, graded = store.sizes("samples"), store.sizes("verdicts")
    found = []
    of_set, verdicts_of_set = _by_folder(sizes), _by_folder(graded)
    for name in names(sizes):
        if not known.get(name):
            known[name] = read_ingredients(store, f"samples/{name}")
        keys = of_set[name]
        verdicts = verdicts_of_set.get(name, [])
        found.append(
            ListedSet(
                name,
                known[name],
                tuple(directly_under(f"samples/{name}", keys)),
                sum(sizes[key] for key in keys),
                tuple(
                    ListedVerdicts(each, tuple(directly_under(f"verdicts/{name}/{each}", verdicts)))
                    for each in names(verdicts, depth=2)
                ),
            )
        )
    return found


def _by_folder(keys: Mapping[str, int]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for key in keys:
        parts = key.split("/", 2)
        if len(parts) == 3:
            folders.setdefault(parts[1], []).append(key)
    return folders


def differences(ingredients: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """The ingredients that are not the same in all of these sets, by their path, with the value in each."""
    flat = [_flat("", each) for each in ingredients]
    paths = sorted({path for each in flat for path in each})
    rows = [(path, tuple(each.get(path, "") for each in flat)) for path in paths]
    return [(path, values) for path, values in rows if len(set(values)) > 1]


def flattened(ingredients: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Ingredients as rows: `sampling.temperature` and its value."""
    return sorted(_flat("", ingredients).items())


def _flat(path: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping) and value:
        parts = (_flat(f"{path}.{name}" if path else str(name), each) for name, each in value.items())
        return {key: each for part in parts for key, each in part.items()}
    if isinstance(value, list):
        return {path: ", ".join(map(repr, value))}
    return {path: str(value)}
