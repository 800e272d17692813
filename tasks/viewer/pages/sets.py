"""The first page: every set of a store."""

from tasks.viewer.library import Library
from tasks.viewer.listing import differences
from tasks.viewer.rendering import page

_HASH = 12


def render(library: Library) -> str:
    """The page as HTML."""
    sets = library.sets()
    differing = differences([each.ingredients for each in sets]) if len(sets) > 1 else []
    # What a hash stands for is told by the other ingredients.
    told = [(path, values) for path, values in differing if path not in ("problems", "model", "template", "schema")]
    return page(
        "sets.html.j2",
        title="Sample sets",
        store=library.store.url("").rstrip("/"),
        sets=sets,
        label=lambda name: name[: -_HASH - 1],
        differing={each.name: _of(told, number) for number, each in enumerate(sets)},
    )


def _of(differing: list[tuple[str, tuple[str, ...]]], number: int) -> list[tuple[str, str]]:
    return [(path.rpartition(".")[2], values[number]) for path, values in differing if values[number]][:6]
