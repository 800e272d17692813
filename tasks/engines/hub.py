"""Models of the Hugging Face hub: which packages they need, and which commit a name stands for."""

import importlib.util
import logging
from collections.abc import Collection
from pathlib import Path

from sandboxes.errors import first_line
from tasks.errors import UserError


def require_packages(role: str, instead: str, modules: Collection[str] = ("torch", "transformers")) -> None:
    """Make sure that packages are installed.

    Args:
        role: what needs them, such as `engine transformers`.
        instead: what needs none of them.
        modules: their names.

    Raises:
        UserError: some are absent.
    """
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if absent:
        raise UserError(
            f"{role}: {' and '.join(absent)} not installed;"
            f" `make extra-transformers` installs what it needs, and {instead} needs neither"
        )


def hub_commit(model: str, revision: str | None, field: str) -> str:
    """The commit that a revision of a model names now; if the hub is offline, the one in its cache.

    Raises:
        UserError: the hub does not answer and the model is not in its cache, or there is no such model; `field` is
            where it was named.
    """
    from huggingface_hub import hf_hub_download  # only for models on the hub

    # Its warnings about every retry would bury the error, which is reported once.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        path = Path(hf_hub_download(model, "config.json", revision=revision))
    except Exception as error:
        where = model if revision is None else f"{model} at revision {revision}"
        raise UserError(f"{field}: no folder {where}, and the hub could not provide it: {first_line(error)}") from error
    return path.parent.name
