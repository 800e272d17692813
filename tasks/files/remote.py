"""The options for opening a URL with fsspec, and the errors that may be raised."""

import sys
from typing import Any

from tasks.errors import UserError


def without_credentials(url: str) -> str:
    """The URL; it appears in logs, reports and the Prefect UI, so it must not contain a secret.

    Raises:
        UserError: it contains a user or a password; the message does not repeat it.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UserError(
            "store: the URL holds credentials, which would show in logs and reports; take them out and set"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what this back end reads, in the environment"
        )
    return url


def options_for(url: str) -> dict[str, Any]:
    """The options for opening a URL with fsspec: a new connection with the current environment's settings."""
    options: dict[str, Any] = {"skip_instance_cache": True}
    if url.startswith(("s3://", "s3a://")):
        # botocore's default checksums break ranged reads against some S3 servers.
        options["config_kwargs"] = {
            "response_checksum_validation": "when_required",
            "request_checksum_calculation": "when_required",
        }
    return options


def storage_faults(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What back ends raise where an object cannot be fetched or stored, and `more`. botocore's errors do not derive
    from OSError."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, *((botocore.BotoCoreError,) if botocore else ()), *more)
