"""From a theorem and a sample's text to whether it is proved, one prover a file.

A prover places the text in its statement (`tasks.provers.vernacular`: plain text), runs it in a warm, confined process,
and confirms what that accepts in processes that have run nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tasks.records import TheoremCheck, Verdict


class UnplaceableError(ValueError):
    """A text that is not the body of a proof, or a theorem that cannot be proved here; the message says why, in a few
    words."""


@dataclass(frozen=True, slots=True)
class PlacedProof:
    """A proof in its place: whole sentences, without comments. `opening` is `Proof.`, or `Proof with` a tactic."""

    header: tuple[str, ...]
    name: str
    statement: str
    opening: str
    body: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences, from the header to `Qed.`."""
        return (*self.header, self.statement, *self.proof)

    @property
    def proof(self) -> tuple[str, ...]:
        """The sentences after the statement, up to `Qed.`."""
        return (self.opening, *self.body, "Qed.")


class Attempt(NamedTuple):
    """What became of a proof, why in a few words, and the CPU and wall-clock seconds that this took."""

    verdict: Verdict
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0


class ProverSession(Protocol):
    """Running processes of a prover. All methods may be called from many threads at once."""

    @property
    def workers(self) -> int:
        """How many proofs it runs at once."""
        ...

    def prove(self, proof: PlacedProof, cpu_s: float | None = None) -> Attempt:
        """Run a proof in a warm process, and confirm it if that accepts it; never raises because of the proof.

        Args:
            proof: a proof in its place.
            cpu_s: CPU seconds that it may take; None: the prover's setting.
        """
        ...


class Prover(Protocol):
    """The settings of a prover, which can start it."""

    @property
    def name(self) -> str:
        """The name that selects it, such as `rocq`."""
        ...

    def check(self) -> None:
        """Make sure that this machine can run it.

        Raises:
            UserError: it cannot; the message says what to install.
        """
        ...

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """Make sure that a proof of the theorem can be placed and confirmed; raises UnplaceableError where not."""
        ...

    def ingredients(self) -> Mapping[str, Any]:
        """What verdicts depend on in addition to the settings: the prover's version."""
        ...

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """The proof in a sample's text; raises UnplaceableError where there is no proof."""
        ...

    def session(self) -> ProverSession:
        """The running prover; it is started when it is first used, and ends with this process."""
        ...
