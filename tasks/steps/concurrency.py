"""Prefect's global concurrency limits, such as one sweep at a time on a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect import get_client, get_run_logger
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

LEASE_S = 60.0
"""A slot of a concurrency limit whose holder was killed is free again after this time."""


@contextmanager
def concurrency_slot(limit: str | None) -> Iterator[None]:
    """Hold a slot of Prefect's global concurrency limit with this name, waiting for one if need be; None: no limit.

    A limit that does not exist is made, with one slot; one that exists keeps the slots that somebody gave it.
    """
    if limit is None:
        yield
        return
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(limit)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):  # another run was first
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit, limit=1))
    get_run_logger().info("waiting for a slot of the concurrency limit %s", limit)
    # A server that is away for a moment must not end a run that holds its slot and draws.
    with concurrency(limit, strict=True, lease_duration=LEASE_S, raise_on_lease_renewal_failure=False):
        get_run_logger().info("got a slot of the concurrency limit %s", limit)
        yield
