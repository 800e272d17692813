"""A disk that is full while a proof is confirmed says nothing of the proof."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.provers import Attempt, PlacedProof, attempt
from tasks.provers.coq.confirmation import AXIOMS, Rules, confirm
from tasks.provers.coq.installation import Installation
from tasks.provers.lean4 import confirmation as lean_confirmation
from tasks.provers.lean4.axioms import AXIOMS as LEAN_AXIOMS
from tasks.provers.lean4.installation import Installation as LeanInstallation
from tasks.provers.lean4.placing import place as place_lean
from tasks.provers.vernacular.placing import place
from tasks.records import TheoremCheck, Verdict

LEMMAS = " ".join(f"assert (forall x y : nat, x + {k} = y -> y = x + {k}) by (auto using eq_sym)." for k in range(60))
ROCQ = place(f"{LEMMAS} reflexivity.", TheoremCheck("rocq", "", "t", "Theorem t : 1 + 1 = 2."))
LEAN = place_lean(
    "exact Eq.refl x", TheoremCheck("lean", "prelude\nimport MiniTactics", "t", "theorem t (x : Nat) : Eq x x := by")
)


class Confirming:
    """A session that only confirms."""

    workers = 1

    def __init__(self, installed: Installation | LeanInstallation) -> None:
        self._installed = installed

    def load(self, theorem: TheoremCheck) -> None:
        raise NotImplementedError

    def propose(self, proof: PlacedProof, limit_s: float | None) -> None:
        return None

    def confirm(self, proof: PlacedProof, limit_s: float | None) -> Attempt:
        if isinstance(self._installed, LeanInstallation):
            rules = lean_confirmation.Rules(1024, LEAN_AXIOMS["standard"])
            return lean_confirmation.confirm(proof, self._installed, 5.0, rules)
        return confirm(proof, self._installed, 5.0, Rules(600, AXIOMS["standard"]))

    def close(self) -> None:
        raise NotImplementedError


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=755", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        subprocess.run(["umount", str(folder)], check=True)


def verdicts(session: Confirming, proof: PlacedProof, sizes: range, folder: Path) -> list[Verdict]:
    """The verdicts on one proof with disks of these sizes, in kilobytes."""
    found = []
    for size in sizes:
        with small_disk(folder, size):
            found.append(attempt(session, proof).verdict)
    return found


@pytest.mark.slow
def test_a_full_disk_is_not_an_error_of_a_proof_in_rocq(rocq: Installation, tmp_path: Path) -> None:
    found = verdicts(Confirming(rocq), ROCQ, range(12, 62, 6), tmp_path)
    assert set(found) == {Verdict.INFRASTRUCTURE, Verdict.CORRECT}


@pytest.mark.slow
def test_a_full_disk_is_not_an_error_of_a_proof_in_lean(lean: LeanInstallation, tmp_path: Path) -> None:
    session = Confirming(lean)
    assert attempt(session, LEAN).verdict is Verdict.CORRECT
    found = verdicts(session, LEAN, range(8, 34, 4), tmp_path)
    lean_confirmation._statement.cache_clear()
    found += verdicts(session, LEAN, range(4, 34, 4), tmp_path)
    assert set(found) == {Verdict.INFRASTRUCTURE, Verdict.CORRECT}
