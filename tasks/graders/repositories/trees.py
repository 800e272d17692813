"""Equal patches of an issue: those that lead to the same files. Whitespace and comments are not normalized."""

import hashlib
from collections.abc import Sequence

from sandboxes.repositories import RepositoryContainers

_FOLDER = "/tmp/monkeys-patches"  # noqa: S108 (in the container)
_SECONDS = 600.0
# An index of the files as they are in the image, to which each patch is applied in turn.
_SCRIPT = f"""
export GIT_INDEX_FILE=/tmp/monkeys-index
git read-tree HEAD && git add -u && cp /tmp/monkeys-index /tmp/monkeys-base || exit 1
for patch in {_FOLDER}/*; do
    cp /tmp/monkeys-base /tmp/monkeys-index
    if git apply --cached "$patch" >/dev/null 2>&1; then tree=$(git write-tree); else tree=-; fi
    echo "${{patch##*/}} $tree"
done
"""


def trees(containers: RepositoryContainers, image: str, patches: Sequence[str]) -> list[str]:
    """For each patch, what it leads to: the id of Git's tree where Git applies it as it is, or else a hash of its text.

    Patches that lead to the same tree are equal. Where the image's Git says nothing, no two are.

    Args:
        containers: start the container.
        image: the issue's image.
        patches: unified diffs of one issue.

    Raises:
        ContainerLostError: the container was lost.
        EngineLostError: the engine is gone.
    """
    with containers.start(image) as container:
        container.put({f"{_FOLDER}/{number}": patch.encode() for number, patch in enumerate(patches)})
        done = container.run(_SCRIPT, time_limit_s=_SECONDS, max_output_bytes=200 * (len(patches) + 100))
    found: dict[int, str] = {}
    for line in done.output.decode("ascii", "replace").splitlines():
        number, _, tree = line.partition(" ")
        if number.isdigit() and len(tree) in (40, 64) and tree.isalnum():
            found[int(number)] = tree
    texts = (f"text:{hashlib.sha256(patch.encode()).hexdigest()}" for patch in patches)
    return [found.get(number, text) for number, text in enumerate(texts)]
