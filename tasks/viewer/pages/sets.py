"""The first page: every set of a store."""

from collections.abc import Sequence

from tasks.viewer.library import Library
from tasks.viewer.listing import ListedSet, differences
from tasks.viewer.rendering import page


def render(library: Library) -> str:
    """The page as HTML."""
    sets = library.sets()
    return page(
        "sets.html.j2",
        title="Sample sets",
        store=library.store.url("").rstrip("/"),
        sets=sets,
        differing=differing_settings(sets),
    )


def differing_settings(sets: Sequence[ListedSet]) -> dict[str, list[tuple[str, str]]]:
    """For each set, the settings in which the sets of its dataset differ."""
    found: dict[str, list[tuple[str, str]]] = {}
    by_dataset: dict[str, list[ListedSet]] = {}
    for each in sets:
        by_dataset.setdefault(str(each.ingredients.get("dataset")), []).append(each)
    for group in by_dataset.values():
        differing = differences([each.ingredients for each in group])
        # What a hash stands for is told by the other ingredients.
        told = [(path, values) for path, values in differing if path not in ("problems", "model", "template", "schema")]
        found |= {each.name: _of(told, number) for number, each in enumerate(group)}
    return found


def _of(differing: list[tuple[str, tuple[str, ...]]], number: int) -> list[tuple[str, str]]:
    return [(path.rpartition(".")[2], values[number]) for path, values in differing if values[number]][:6]
