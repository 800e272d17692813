"""The example plug-in, installed from its project and used from the command line."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.flows.command import monkeys
from tests.plugins.installed import pytest_in

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin"
UV = shutil.which("uv") or str(ROOT / ".venv-setup" / "bin" / "uv")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder into which the example is installed."""
    if not Path(UV).exists():
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    for command in (
        ["build", "--quiet", "--wheel", "--out-dir", "wheels", "source"],
        [
            "pip",
            "install",
            "--quiet",
            "--offline",
            "--no-deps",
            "--target",
            "site",
            "wheels/monkeys_example-1.0-py3-none-any.whl",
        ],
    ):
        done = subprocess.run([UV, *command], check=False, cwd=folder, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
    return str(folder / "site")


def test_plugins_lists_the_example(installed: str, tmp_path: Path) -> None:
    done = monkeys("plugins", "--json", cwd=tmp_path, PYTHONPATH=installed)
    assert (done.code, done.err) == (0, "")
    found = [(each["role"], each["name"], each["distribution"], each["version"]) for each in json.loads(done.out)]
    assert found == [
        ("dataset", "sums", "monkeys-example", "1.0"),
        ("engine", "guesser", "monkeys-example", "1.0"),
        ("grader", "close_enough", "monkeys-example", "1.0"),
    ]
    none = monkeys("plugins", cwd=tmp_path, PYTHONPATH=installed, MONKEYS_PLUGINS="")
    assert (none.code, none.out.split(":")[0]) == (0, "no plug-ins")
    some = monkeys("plugins", "--json", cwd=tmp_path, PYTHONPATH=installed, MONKEYS_PLUGINS="sums, other")
    assert [each["name"] for each in json.loads(some.out)] == ["sums"]


def test_the_tests_of_the_example_pass(installed: str, tmp_path: Path) -> None:
    done = pytest_in(tmp_path, str(EXAMPLE / "tests"), PYTHONPATH=installed)
    assert done.code == 0, done.out
    assert "3 passed" in done.out


@pytest.mark.slow
def test_a_sweep_records_the_examples_version_in_its_sets(installed: str, tmp_path: Path) -> None:
    done = monkeys("sweep", str(EXAMPLE / "sweep.yaml"), cwd=tmp_path, PYTHONPATH=installed)
    assert done.code == 0, done.err
    assert "drew 400 samples" in done.out
    shown = json.loads(monkeys("show", "sums", "--json", cwd=tmp_path).out)
    of_samples, of_verdicts = (
        {"dataset": "monkeys-example 1.0", "engine": "monkeys-example 1.0"},
        {"grader": "monkeys-example 1.0"},
    )
    assert shown["ingredients"]["plugins"] == of_samples
    (verdicts,) = (tmp_path / "runs" / "verdicts").glob("*/*/set.json")
    assert json.loads(verdicts.read_text())["plugins"] == of_verdicts
    assert {"correct", "wrong"} <= shown["verdicts"][0]["counts"].keys()

    again = monkeys("sweep", str(EXAMPLE / "sweep.yaml"), cwd=tmp_path, PYTHONPATH=installed, MONKEYS_PLUGINS="")
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert "dataset.name: 'sums' is unknown; one of arithmetic" in again.err
