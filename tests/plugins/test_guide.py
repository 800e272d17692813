"""The guide for plug-in authors, docs/extending.md: its code is installed as written, and used."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.flows.command import monkeys
from tests.plugins.installed import install, pytest_in

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    (project,) = (tomllib.loads(block)["project"] for block in blocks("toml"))
    modules = {block.splitlines()[0].removeprefix("# "): block for block in blocks("python")}
    assert len(modules) == 10
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in named.items())
        for group, named in project["entry-points"].items()
    )
    folder = tmp_path_factory.mktemp("shop")
    return install(folder, {"shop/__init__.py": "", **modules}, points, project["name"], project["version"])


def test_every_plug_in_of_the_guide_loads(installed: str, tmp_path: Path) -> None:
    done = monkeys("plugins", "--json", cwd=tmp_path, PYTHONPATH=installed)
    assert done.code == 0, done.out
    assert {each["role"] for each in json.loads(done.out)} == {
        "dataset",
        "engine",
        "grader",
        "prover",
        "scorer",
        "sandbox",
        "format",
        "budget",
        "selector",
    }


@pytest.mark.slow
def test_the_sweep_of_the_guide_runs(installed: str, tmp_path: Path) -> None:
    (sweep,) = blocks("yaml")
    (tmp_path / "s.yaml").write_text(sweep)
    done = monkeys("sweep", "s.yaml", cwd=tmp_path, PYTHONPATH=installed)
    assert done.code == 0, done.err
    shown = json.loads(monkeys("show", "spelling", "--json", cwd=tmp_path).out)
    assert shown["ingredients"]["plugins"] == {"dataset": "shop 0.1", "engine": "shop 0.1"}
    assert shown["verdicts"][0]["counts"] == {"correct": 15, "wrong": 15}
    assert (shown["scores"][0]["scorer"], shown["scores"][0]["scored"]) == ("brevity", 30)


@pytest.mark.slow
def test_the_tests_of_the_guide_pass(installed: str, tmp_path: Path) -> None:
    done = pytest_in(tmp_path, f"{installed}/test_shop.py", PYTHONPATH=installed)
    assert done.code == 0, done.out
    assert "9 passed" in done.out


def test_the_importer_of_the_guide_imports(installed: str, tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("spelling/cat\ttac\nspelling/cat\tcat\n")
    done = monkeys("import", "s.tsv", "-o", "s.jsonl", cwd=tmp_path, PYTHONPATH=installed)
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [(row["problem_id"], row["index"], row["text"]) for row in rows] == [
        ("spelling/cat", 0, "tac"),
        ("spelling/cat", 1, "cat"),
    ]


def test_help_of_import_lists_the_format_of_the_guide(installed: str, tmp_path: Path) -> None:
    done = monkeys("import", "--help", cwd=tmp_path, PYTHONPATH=installed)
    assert "From plug-ins: tsv." in " ".join(done.out.replace("│", " ").split())
    without = monkeys("import", "--help", cwd=tmp_path, PYTHONPATH=installed, MONKEYS_PLUGINS="")
    assert "From plug-ins" not in without.out


@pytest.mark.slow
def test_the_sandbox_of_the_guide_grades_programs(installed: str, tmp_path: Path) -> None:
    more = ["--set", "sandbox=logged", "--set", "engine={name: onnx, model: programs}", "--set", "budget=uniform"]
    (tmp_path / "s.yaml").write_text("dataset: programs\nlimit: 2\nengine: parrot\nk: 2\n")
    done = monkeys("sweep", "s.yaml", *more, cwd=tmp_path, PYTHONPATH=installed)
    assert done.code == 0, done.err
    (verdicts,) = (tmp_path / "runs" / "verdicts").glob("*/*/set.json")
    assert json.loads(verdicts.read_text())["plugins"] == {"sandbox": "shop 0.1"}
