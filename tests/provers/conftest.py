import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.lean4.installation import Installation as LeanInstallation
from tasks.provers.lean4.installation import installation as lean_installation

LEAN = Path(__file__).parents[2] / ".venv-lean" / "bin" / "lean"
_LIBRARY = Path(__file__).parent / "lean"


@pytest.fixture(scope="session")
def rocq() -> Installation:
    """The installed Rocq; without one, the test is skipped."""
    if shutil.which("coqc") is None or shutil.which("coqidetop.opt") is None:
        pytest.skip("Rocq is not installed: `make provers`")
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return installation()


@pytest.fixture(scope="session")
def lean_program() -> str:
    """The real Lean, without its own library; without it, the test is skipped."""
    if not LEAN.exists():
        pytest.skip("the library of Lean for tests is not installed: `make provers`")
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return str(LEAN)


@pytest.fixture(scope="session")
def lean_project(lean_program: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the compiled library of these tests."""
    folder = tmp_path_factory.mktemp("lean")
    for each in (folder, *list(folder.parents)[:2]):
        each.chmod(0o755)
    for module in ("Mini", "MiniTactics"):
        shutil.copy(_LIBRARY / f"{module}.lean", folder)
        command = [lean_program, "-R", str(folder), "-o", str(folder / f"{module}.olean"), f"{folder / module}.lean"]
        subprocess.run(command, check=True, env={**os.environ, "LEAN_PATH": str(folder)})
    return str(folder)


@pytest.fixture(scope="session")
def lean(lean_program: str, lean_project: str) -> LeanInstallation:
    """The real Lean with the library of these tests."""
    return lean_installation(lean_program, Path(lean_project))
