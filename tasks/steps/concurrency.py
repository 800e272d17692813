"""Prefect's global concurrency limits, such as one sweep at a time on a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect import get_client, get_run_logger
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.steps.server import FAULTS

LEASE_S = 60.0
"""Seconds after which the slot of a killed holder is free again."""


@contextmanager
def concurrency_slot(limit: str | None) -> Iterator[None]:
    """Hold a slot of the Prefect global concurrency limit with this name (None: no limit); waits until there is one.

    If the limit does not exist, it is created with one slot. Only taking a slot needs Prefect's server: one that cannot
    be given back is free again after `LEASE_S`.
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
    # A temporary outage of the server must not end a run that holds its slot and is drawing.
    slot = concurrency(limit, strict=True, lease_duration=LEASE_S, raise_on_lease_renewal_failure=False)
    slot.__enter__()
    try:
        get_run_logger().info("got a slot of the concurrency limit %s", limit)
        yield
    finally:
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
                slot.__exit__(None, None, None)
        except FAULTS as error:
            get_run_logger().warning("the slot of %s could not be given back: %s", limit, error)
