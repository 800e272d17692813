"""How `infra/setup.sh` chooses an interpreter."""

import os
import subprocess
import sys
from pathlib import Path

SETUP = Path(__file__).parents[2] / "infra" / "setup.sh"
FIND_PYTHON = f"eval \"$(sed -n '/^find_python/,/^}}/p' '{SETUP}')\"; fail() {{ echo \"$*\"; exit 2; }}; find_python"


def found(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """The interpreter that is found where `python3` is this script."""
    shim = folder / "python3"
    shim.write_text(f"#!/bin/sh\n{script}\n")
    shim.chmod(0o755)
    path = f"{folder}:/usr/sbin:/sbin" if "exit" in script else f"{folder}:{os.environ['PATH']}"
    (folder / "sed").symlink_to("/usr/bin/sed" if Path("/usr/bin/sed").exists() else "/bin/sed")
    return subprocess.run(
        ["/bin/bash", "-c", FIND_PYTHON],
        check=False,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_interpreter_behind_a_shim_is_found(tmp_path: Path) -> None:
    """For the path of a shim, as pyenv has them, uv would make the environment again each time, without what was
    installed into it since."""
    real = Path(os.path.realpath(sys.executable))
    done = found(tmp_path, f'exec {real} "$@"')
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).resolve() == real


def test_a_python_that_does_not_start_is_not_chosen(tmp_path: Path) -> None:
    done = found(tmp_path, "exit 127")
    assert (done.returncode, done.stdout) == (
        2,
        "Python 3.11 to 3.14 is needed; Debian 12, Ubuntu 24.04 and newer releases have it as python3\n",
    )
