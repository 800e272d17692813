"""The provers that can be chosen by name: built in, or of plug-ins. A type checker only sees the former."""

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BeforeValidator

from tasks.choices import choices
from tasks.provers import Prover
from tasks.provers.kimina import KiminaProver
from tasks.provers.lean import LeanProver
from tasks.provers.lean_dojo import LeanDojoProver
from tasks.provers.repl import ReplProver
from tasks.provers.rocq import RocqProver


def _default(value: Any) -> Any:
    """`prover: {time_limit_s: 5}` is short for the default prover with this limit."""
    return {"name": "rocq", **value} if isinstance(value, dict) else value


_Prover = KiminaProver | LeanDojoProver | LeanProver | ReplProver | RocqProver

if TYPE_CHECKING:
    ProverConfig = _Prover
else:
    ProverConfig = choices("prover", _Prover, Prover, BeforeValidator(_default))


def prover_classes() -> tuple[type[Any], ...]:
    """The configuration class of every prover that can be chosen."""
    return get_args(get_args(ProverConfig)[0])
