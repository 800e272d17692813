"""Settings that several provers have, and what they ask of this machine."""

from typing import Annotated

from pydantic import Field

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.errors import UserError

Workers = Annotated[
    Annotated[int, Field(ge=1, le=256)] | None, Field(description="Proofs that run at once; default: one per core.")
]

CpuLimit = Annotated[
    float, Field(gt=0, le=86_400, description="CPU seconds per proof, for problems that set no limit.")
]


def require_bubblewrap(prover: str) -> None:
    """Raise UserError where bubblewrap, in which this prover runs, cannot run here."""
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        raise UserError(f"prover: {prover} runs in bubblewrap: {error}") from error
