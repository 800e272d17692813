"""What an image contains, as a hash that is the same wherever the image is."""

import re
from collections.abc import Sequence
from functools import cache, partial

from docker import DockerClient
from docker.errors import ImageNotFound

from sandboxes import SandboxUnavailableError
from sandboxes.containers.client import ENGINE_ERRORS, docker_client
from sandboxes.errors import first_line

_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


def digests(images: Sequence[str]) -> list[str]:
    """See `sandboxes.docker_repositories.DockerRepositories.digests`."""
    named = [_DIGEST.search(image) for image in images]
    if all(named):
        return [match[1] for match in named if match]
    with docker_client() as client:
        of_name = cache(partial(_digest, client))  # Many problems may have the same image.
        return [match[1] if match else of_name(image) for image, match in zip(images, named, strict=True)]


def _digest(client: DockerClient, name: str) -> str:
    try:
        image = client.images.get(name)
    except ImageNotFound:
        try:
            return str(client.images.get_registry_data(name).id)
        except ENGINE_ERRORS as error:
            raise SandboxUnavailableError(
                f"neither the Docker engine nor its registry has the image {name} ({first_line(error)[:200]}): pull or"
                " build it, or choose other names with dataset.image"
            ) from error
    known = {each.rpartition("@")[0]: each.rpartition("@")[2] for each in image.attrs.get("RepoDigests") or ()}
    return str(known.get(_repository(name)) or min(known.values(), default=image.id))


def _repository(name: str) -> str:
    """An image's name without its tag. A registry's port is not a tag."""
    last = name.rpartition("/")[2]
    return name.removesuffix(f":{last.partition(':')[2]}") if ":" in last else name
