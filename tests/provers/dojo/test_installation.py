"""Which LeanDojo is found, and what users are told."""

import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.provers.dojo.installation import DojoInstallation, compiled_repl, dojo_installation
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean_dojo import LeanDojoProver


def test_an_environment_without_lean_dojo_is_told_how_to_get_it(tmp_path: Path) -> None:
    for python, why in (
        (str(tmp_path / "absent"), "prover.python: there is no .*/absent: run infra/lean_dojo_env.sh"),
        (sys.executable, "has no lean-dojo: run infra/lean_dojo_env.sh"),
    ):
        with pytest.raises(UserError, match=why):
            LeanDojoProver(python=python).check()


def test_lean_dojo_is_found_with_its_repl(lean_dojo: DojoInstallation) -> None:
    assert lean_dojo.version == "4.20.0"
    assert "lean_dojo_repl" in lean_dojo.repl.read_text()


def test_a_machine_without_git_is_told_so(lean_dojo: DojoInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="needs `git`"):
        dojo_installation.__wrapped__(lean_dojo.interpreter.command[0])


def test_a_lean_with_which_the_repl_does_not_compile_is_refused(
    lean_dojo: DojoInstallation, lean: Installation
) -> None:
    """The Lean of these tests has no library."""
    with pytest.raises(UserError, match=r"does not compile with Lean 4\.35\.0 \(unknown module prefix 'Init'"):
        compiled_repl(lean_dojo, lean)
