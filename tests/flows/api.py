"""Queries runs on a Prefect server over its API."""

import time
from typing import Any

import httpx

PATIENCE_S = 60
"""A server on a busy machine answers late; httpx alone would give up after 5 s."""


def query(url: str, what: str, **filters: Any) -> list[dict[str, Any]]:
    """All objects of a kind (flow_runs, task_runs, artifacts, logs, …), from all pages."""
    found: list[dict[str, Any]] = []
    while True:
        answer = httpx.post(
            f"{url}/{what}/filter", json={"offset": len(found), "limit": 200, **filters}, timeout=PATIENCE_S
        )
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


def task_runs(url: str, of: dict[str, Any], at_least: int = 0, seconds: float = 60) -> list[dict[str, Any]]:
    """The task runs of a flow run. The server records them from events, with a short delay."""
    deadline = time.monotonic() + seconds
    while True:
        found = query(url, "task_runs", flow_runs={"id": {"any_": [of["id"]]}})
        ended = [run for run in found if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}]
        if len(ended) >= max(at_least, 1) and len(ended) == len(found):
            return found
        assert time.monotonic() < deadline, f"{len(ended)} of {len(found)} task runs have ended"
        time.sleep(0.5)
