import os
from pathlib import Path

import pytest

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.interpreter import find_interpreter
from tasks.provers.lean_repl.installation import installation

TOY = Path(__file__).parent / "toy_repl.py"


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs with a REPL without Lean, and a `lean` that only tells its version and its folder."""
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("toolchain")
    python = find_interpreter(None).command[0]
    repl, lean = folder / "repl", folder / "lean"
    repl.write_text(f"#!{python}\n{TOY.read_text()}")
    lean.write_text(
        f'#!/bin/sh\ncase "$1" in --print-prefix) echo {folder};; *) echo "Lean (version 4.15.0, x86_64)";; esac\n'
    )
    for program in (repl, lean):
        program.chmod(0o755)
    for each in (folder, *folder.parents[:3]):
        each.chmod(0o755)
    return folder


@pytest.fixture
def on_path(toolchain: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toolchain, on the search path."""
    monkeypatch.setenv("PATH", f"{toolchain}:{os.environ['PATH']}")
    installation.cache_clear()
    return toolchain
