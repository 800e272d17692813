"""The wheel as a user installs it: in another environment, and used from outside the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv") or str(ROOT / ".venv-setup" / "bin" / "uv")


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment |= {"COLUMNS": "200", "PREFECT_HOME": str(cwd / "prefect")}
    done = subprocess.run(command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel, which borrows its dependencies from this environment."""
    if not Path(UV).exists():
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel, cwd=folder)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # A plain path: the editable install of the checkout, which is a .pth file there, is not followed.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert not str(site).startswith(sys.prefix)
    return python.parent


def test_the_installed_package_is_the_wheel_and_typed(installed: Path, tmp_path: Path) -> None:
    script = (
        "import json, monkeys, flows, tasks, sandboxes; from pathlib import Path\n"
        "files = [Path(each.__file__) for each in (monkeys, flows, tasks, sandboxes)]\n"
        "print(json.dumps([monkeys.__version__, monkeys.Verdict('wrong').name, *map(str, files)]))\n"
        "assert all(file.with_name('py.typed').exists() for file in files)"
    )
    version, verdict, *files = json.loads(run(installed / "python", "-c", script, cwd=tmp_path))
    assert (version.count("."), verdict) == (2, "WRONG")
    assert all(file.startswith(str(installed.parent)) for file in files), files


def test_the_installed_command_shows_help_and_its_version(installed: Path, tmp_path: Path) -> None:
    assert "monkeys sweep examples/programs.yaml" in run(installed / "monkeys", "--help", cwd=tmp_path)
    assert run(installed / "monkeys", "--version", cwd=tmp_path) == run(
        installed / "python", "-m", "monkeys", "--version", cwd=tmp_path
    )


def test_the_installed_command_sweeps_grades_in_a_sandbox_and_reports(installed: Path, tmp_path: Path) -> None:
    """This needs the data files in the wheel: model, problems, templates, and the files of the sandbox."""
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nlimit: 2\nengine: {name: onnx, model: programs}\nk: 3\n")
    assert "drew 6 samples" in run(installed / "monkeys", "sweep", "sweep.yaml", cwd=tmp_path)
    (report,) = (tmp_path / "runs" / "reports").glob("*/*/report.html")
    assert "</html>" in report.read_text()
