"""What `import monkeys` and `monkeys --help` load, and packages of other projects that hide this one's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("prefect", "pandas", "torch", "numpy", "pyarrow", "transformers", "onnxruntime")
LOADED = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"


def python(*arguments: str, cwd: Path, path: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run Python with this path before its own."""
    environment = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def test_import_monkeys_loads_nothing_heavy(tmp_path: Path) -> None:
    done = python("-c", f"import monkeys; dir(monkeys); {LOADED}", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import atexit, sys; sys.argv = ['monkeys', '--help']\n"
        f"atexit.register(exec, {LOADED!r})\n"  # `main` does not return
        "from monkeys.__main__ import main; main()"
    )
    done = python("-c", script, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert "monkeys sweep examples/programs.yaml" in done.stdout


@pytest.fixture(params=["tasks/__init__.py", "tasks.py"])
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of another project, with a package or a module called tasks."""
    path = tmp_path / str(request.param)
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise RuntimeError('never imported')\n")
    return tmp_path


USES = {
    "api": ("import monkeys; monkeys.Problem", "ImportError: "),
    "from import": ("from monkeys import load", "ImportError: "),
    "flows": ("import flows.config.sweep", "ImportError: "),
    "main": ("from monkeys.__main__ import main; main()", "monkeys: "),
}


@pytest.mark.parametrize("use", USES)
def test_a_foreign_package_called_tasks_is_reported_in_one_line(foreign: Path, use: str) -> None:
    script, prefix = USES[use]
    done = python("-c", script, cwd=foreign)
    place = foreign / "tasks" if (foreign / "tasks").is_dir() else foreign / "tasks.py"
    assert done.stderr.splitlines()[-1] == (
        f"{prefix}another package called tasks ({place}) hides this project's; start from another folder"
    )
    assert done.returncode == (2 if use == "main" else 1)
    assert use != "main" or len(done.stderr.splitlines()) == 1


def test_a_foreign_package_called_flows_is_reported_in_one_line_by_python_m_monkeys(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text("raise RuntimeError('never imported')\n")
    done = python("-m", "monkeys", "--help", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"monkeys: another package called flows ({tmp_path / 'flows.py'}) hides this project's;"
        " start from another folder\n"
    )


def test_a_folder_called_tasks_without_code_hides_nothing(tmp_path: Path) -> None:
    """A regular package takes precedence over a namespace package."""
    (tmp_path / "tasks").mkdir()
    done = python("-c", "import monkeys; print(monkeys.Problem.__module__)", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("tasks.records\n", "")
