"""Rocq keeps the promises of `tasks.provers`."""

import pytest

from monkeys.testing import check_prover
from tasks.provers.rocq import RocqProver


@pytest.mark.usefixtures("rocq")
@pytest.mark.parametrize("confirm", [True, False])
def test_rocq_keeps_the_promises_of_a_prover(confirm: bool) -> None:
    check_prover(RocqProver(workers=2, confirm=confirm))
