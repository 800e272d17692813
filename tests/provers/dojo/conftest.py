from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.provers import Probe
from tasks.provers.dojo.installation import DojoInstallation, dojo_installation
from tasks.provers.lean4.installation import Installation, installation
from tasks.provers.lean_dojo import LeanDojoProver
from tasks.records import TheoremCheck

PYTHON = Path(__file__).parents[3] / ".venv-lean-dojo" / "bin" / "python"
TOY = Path(__file__).parent / "toy_lean.py"
HEADER = "prelude\nimport MiniTactics"


@pytest.fixture(scope="session")
def lean_dojo() -> DojoInstallation:
    """The real LeanDojo; without it, the test is skipped."""
    if not PYTHON.exists():
        pytest.skip("LeanDojo is not installed: infra/lean_dojo_env.sh")
    if Path("/tmp") in PYTHON.parents:
        pytest.skip("LeanDojo is installed in /tmp, which is private to each program in a sandbox")
    return dojo_installation(str(PYTHON))


@pytest.fixture(scope="session")
def toy(lean_program: str, lean_project: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A Lean that has LeanDojo's REPL, as `toy_lean.py` plays it with the real Lean."""
    folder = tmp_path_factory.mktemp("toy")
    program = folder / "bin" / "lean"
    program.parent.mkdir()
    interpreter = Path(lean_program).read_text().partition("\n")[0]
    text = TOY.read_text().replace('LEAN = "LEAN"', f"LEAN = {lean_program!r}")
    program.write_text(f"{interpreter}\n{text}")
    program.chmod(0o755)
    for each in (program.parent, folder, *folder.parents[:3]):
        each.chmod(0o755)
    found = installation(str(program), Path(lean_project))
    return found._replace(shown=(*found.shown, *installation(lean_program, Path(lean_project)).shown))


class ToyProver(LeanDojoProver):
    """With a theorem for the library of these tests."""

    @property
    def probe(self) -> Probe:
        statement = "theorem pair (p q : Prop) (hp : p) : q → And p q := by"
        theorem = TheoremCheck("lean", HEADER, "pair", statement)
        return Probe(theorem, right="intro hq\nexact And.intro hp hq", wrong="intro hq\nexact And.intro hq hp")


@pytest.fixture(scope="module")
def prover(lean_dojo: DojoInstallation, toy: Installation) -> Iterator[ToyProver]:
    """The prover with the real `Dojo` on the toy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToyProver, "_installations", lambda self: (lean_dojo, toy))
        yield ToyProver(workers=1, memory_limit_mb=1024, time_limit_s=5)
