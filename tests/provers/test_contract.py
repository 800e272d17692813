"""The provers keep the promises of `tasks.provers`."""

from pathlib import Path

import pytest

from monkeys.testing import check_prover
from tasks.provers import Probe
from tasks.provers.lean import LeanProver
from tasks.provers.rocq import RocqProver
from tasks.records import TheoremCheck


@pytest.mark.usefixtures("rocq")
@pytest.mark.parametrize("confirm", [True, False])
def test_rocq_keeps_the_promises_of_a_prover(confirm: bool) -> None:
    check_prover(RocqProver(workers=2, confirm=confirm))


class _SmallLeanProver(LeanProver):
    """With a theorem for the library of these tests."""

    @property
    def probe(self) -> Probe:
        statement = "theorem probe (p q : Prop) (hp : p) (hq : q) : And p q := by"
        theorem = TheoremCheck("lean", "prelude\nimport MiniTactics", "probe", statement)
        return Probe(theorem, right="exact And.intro hp hq", wrong="exact And.intro hq hp")


@pytest.mark.parametrize("confirm", [True, False])
def test_lean_keeps_the_promises_of_a_prover(confirm: bool, lean_program: str, lean_project: str) -> None:
    check_prover(_SmallLeanProver(program=lean_program, project=Path(lean_project), workers=2, confirm=confirm))
