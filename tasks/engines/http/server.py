"""Probes servers before sampling: whether they answer, accept the key and have the model, and what software they
run."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import httpx

from tasks.errors import UserError
from tasks.progress import progress

MAX_CONCURRENT_PROBES = 16
ATTEMPTS = 3
"""One second apart, for a server that is just starting."""


class Server(NamedTuple):
    """What the servers are: `version` such as `vllm 0.32.0`, or several joined by "and"; `vllm` if all of them are."""

    version: str
    vllm: bool


def probe_servers(urls: Sequence[str], key: str | None, key_env: str | None, model: str) -> Server:
    """Make sure that a server answers, and that all that answer accept the key and have the model.

    A replica may fail to answer if another one does. A model that no server lists may still be there, since some
    servers accept any name; but if one lists it and another does not, samples of two models would be mixed.

    Raises:
        UserError: no server answers, or one refuses the key or has other models.
    """
    names = [url.rstrip("/") for url in urls]
    with (
        httpx.Client(headers=headers(key), timeout=10.0, mounts=without_proxies()) as client,
        ThreadPoolExecutor(min(MAX_CONCURRENT_PROBES, len(names))) as pool,
    ):
        replies = dict(zip(names, pool.map(partial(_models, client), names), strict=True))
        answers = {url: reply for url, reply in replies.items() if not isinstance(reply, str)}
        silent = [f"{url} ({reason})" for url, reason in replies.items() if isinstance(reason, str)]
        if not answers:
            raise UserError(f"engine.base_urls: no server answers at {', '.join(silent)}; start it, or correct the URL")
        _check_key_and_model(answers, key_env, model)
        if silent:
            progress.get().say(f"no answer from {', '.join(silent)}; continuing with the other replicas")
        found = [_server(client, url, reply, model) for url, reply in answers.items()]
    return Server(" and ".join(sorted({each.version for each in found})), all(each.vllm for each in found))


def _check_key_and_model(answers: Mapping[str, httpx.Response], key_env: str | None, model: str) -> None:
    offers: dict[str, list[str]] = {}
    for url, reply in answers.items():
        if reply.status_code in {401, 403}:
            sent = f"the key in {key_env}" if key_env else "requests without a key; name the variable that contains it"
            raise UserError(f"engine.api_key_env: {url} refuses {sent} ({reply.status_code})")
        offers[url] = [str(each.get("id")) for each in listed_models(reply)]
    having = next((url for url, models in offers.items() if model in models), None)
    for url, models in offers.items():
        if having is not None and models and model not in models:
            raise UserError(
                f"engine.base_urls: {url} offers {', '.join(models[:20])}, but not {model!r} as {having} does; all"
                " replicas must have the same model"
            )


def listed_models(reply: httpx.Response) -> list[dict[str, Any]]:
    """The entries of a reply to /models; empty if it is not such a reply."""
    try:
        data = reply.json()["data"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def vllm_version(client: httpx.Client, url: str) -> str:
    """The version of vLLM that a server says it is; empty if it does not."""
    try:
        said = client.get(f"{url.removesuffix('/v1')}/version", timeout=10.0).json()
    except (httpx.RequestError, ValueError, RecursionError):
        return ""
    version = said.get("version") if isinstance(said, dict) else None
    return version if isinstance(version, str) else ""


def headers(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})


def without_proxies() -> dict[str, None]:
    """The `mounts` of an httpx client that make it ignore the environment's proxy for this machine."""
    return {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}


def one_line(error: BaseException) -> str:
    """The message of a connection error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _models(client: httpx.Client, url: str) -> httpx.Response | str:
    """The reply to /models, or the reason why there is none."""
    reason = ""
    for attempt in range(ATTEMPTS):
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
    # All models of a server have the same owner; an adapter's entry may lack it.
    owner = next((str(each["owned_by"]) for each in listed if each.get("owned_by")), "")
    if owner != "vllm":
        return Server(f"OpenAI API of {owner or 'an unnamed server'}, {model}", vllm=False)
    return Server(f"vllm {vllm_version(client, url)}".strip(), vllm=True)
