"""What can be learnt of a server before it is asked for samples: whether it is there, takes the key, and what it is."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from tasks.errors import InputError

TRIES = 3
"""A server that is just being started gets so many chances, a second apart."""


class Server(NamedTuple):
    """What a server says of itself: such as `vllm 0.32.0`."""

    version: str
    vllm: bool


def greet(urls: Sequence[str], key: str | None, key_env: str | None, model: str) -> Server:
    """Make sure that a server answers and takes the key.

    A replica that does not answer is no error while another does. A model that is not listed may still be there: some
    servers take any name.

    Raises:
        InputError: none answers, or one refuses the key.
    """
    with httpx.Client(headers=headers(key), timeout=10.0, mounts=without_proxies()) as client:
        reasons = []
        for url in (url.rstrip("/") for url in urls):
            reply = _models(client, url)
            if isinstance(reply, str):
                reasons.append(f"{url} ({reply})")
                continue
            if reply.status_code in {401, 403}:
                sent = f"the key in {key_env}" if key_env else "requests without a key; name the variable that holds it"
                raise InputError(f"engine.api_key_env: {url} refuses {sent} ({reply.status_code})")
            return _server(client, url, reply, model)
        raise InputError(f"engine.base_urls: no server answers at {', '.join(reasons)}; start it, or correct the URL")


def listed_models(reply: httpx.Response) -> list[dict[str, Any]]:
    """The entries of a reply to /models; empty where it is none."""
    try:
        data = reply.json()["data"]
    except (ValueError, KeyError, TypeError):
        return []
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def headers(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})


def without_proxies() -> dict[str, None]:
    """A proxy that the environment names is for hosts elsewhere, never for this machine."""
    return {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}


def one_line(error: BaseException) -> str:
    """What went wrong on a connection."""
    return " ".join(str(error).split()) or type(error).__name__


def _models(client: httpx.Client, url: str) -> httpx.Response | str:
    """The reply to a question for the models, or why there is none."""
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(1.0)
        try:
            reply = client.get(f"{url}/models")
        except httpx.RequestError as error:
            reason = one_line(error)
        else:
            if reply.status_code < 500:
                return reply
            reason = f"{reply.status_code}"
    return reason


def _server(client: httpx.Client, url: str, models: httpx.Response, model: str) -> Server:
    listed = listed_models(models)
    # An adapter's entry names no owner of its own; all of a server's models have the same.
    owner = next((str(each["owned_by"]) for each in listed if each.get("owned_by")), "")
    if owner != "vllm":
        return Server(f"OpenAI API of {owner or 'an unnamed server'}, {model}", vllm=False)
    try:
        version = str(client.get(f"{url.removesuffix('/v1')}/version").json().get("version", ""))
    except (httpx.RequestError, ValueError, AttributeError):
        version = ""
    return Server(f"vllm {version}".strip(), vllm=True)
