"""Requests to a Prefect server's API, and queries of runs."""

import time
from typing import Any

import httpx

PATIENCE_S = 60
"""A server on a busy machine answers late; httpx alone would give up after 5 s."""
_BUSY = {429, 502, 503}
"""Such as while its database is locked."""
_TRY_FOR_S = 120


def request(method: str, url: str, json: Any = None) -> httpx.Response:
    """What the server answers once it is not busy; like Prefect's client, it asks again until then."""
    deadline = time.monotonic() + _TRY_FOR_S
    while True:
        last = time.monotonic() > deadline
        try:
            answer = httpx.request(method, url, json=json, timeout=PATIENCE_S)
        except httpx.TransportError:
            if last:
                raise
        else:
            if last or answer.status_code not in _BUSY:
                return answer
        time.sleep(0.5)


def query(url: str, what: str, **filters: Any) -> list[dict[str, Any]]:
    """All objects of a kind (flow_runs, task_runs, artifacts, logs, …), from all pages."""
    found: list[dict[str, Any]] = []
    while True:
        answer = request("POST", f"{url}/{what}/filter", {"offset": len(found), "limit": 200, **filters})
        answer.raise_for_status()
        page = answer.json()
        found += page
        if len(page) < 200:
            return found


def flow_run(url: str, name: str) -> dict[str, Any]:
    """The latest flow run with this name."""
    runs = query(url, "flow_runs", flow_runs={"name": {"any_": [name]}}, sort="START_TIME_DESC")
    assert runs, f"no flow run is called {name}"
    return runs[0]


def task_runs(url: str, of: dict[str, Any], at_least: int = 0, seconds: float = 300) -> list[dict[str, Any]]:
    """The task runs of a flow run. The server records them from events, with a short delay."""
    deadline = time.monotonic() + seconds
    while True:
        found = query(url, "task_runs", flow_runs={"id": {"any_": [of["id"]]}})
        ended = [run for run in found if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}]
        if len(ended) >= max(at_least, 1) and len(ended) == len(found):
            return found
        assert time.monotonic() < deadline, f"{len(ended)} of {len(found)} task runs have ended"
        time.sleep(0.5)
