"""Which Lean and which libraries are found, and what users are told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.provers.lean import LeanProver
from tasks.provers.lean4.installation import installation
from tasks.provers.lean4.project import revision


def pretend(folder: Path, version: str) -> str:
    """A program that says it is a version of Lean."""
    program = folder / "lean"
    said = f"Lean (version {version}, x86_64-unknown-linux-gnu, commit 0, Release)"
    lines = [f"#!{sys.executable}", "import sys", f"print('{folder}' if '--print-prefix' in sys.argv else {said!r})"]
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return str(program)


def lake_project(folder: Path, version: str, *, built: bool) -> Path:
    folder.mkdir()
    (folder / "lakefile.toml").write_text('name = "p"')
    (folder / "lean-toolchain").write_text(f"leanprover/lean4:v{version}\n")
    if built:
        compiled = folder / ".lake/packages/mathlib/.lake/build/lib/lean/Mathlib"
        compiled.mkdir(parents=True)
        (compiled / "Init.olean").write_bytes(b"")
    return folder


def test_a_machine_without_lean_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="needs `lean`, which is not on the search path: install Lean with elan"):
        installation("lean", None)
    with pytest.raises(UserError, match="install Lean with elan"):
        LeanProver().check()


def test_a_program_that_is_not_lean_is_named(tmp_path: Path) -> None:
    program = tmp_path / "lean"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    with pytest.raises(UserError, match="does not say which version of Lean it is"):
        installation(str(program), None)
    program.write_text("#!/bin/sh\nexit 1\n")
    installation.cache_clear()
    with pytest.raises(UserError, match="which does not run"):
        installation(str(program), None)


def test_the_project_must_be_a_folder_that_is_built_by_the_same_version(tmp_path: Path) -> None:
    program = pretend(tmp_path, "4.33.0")
    with pytest.raises(UserError, match="is not a folder"):
        installation(program, tmp_path / "absent")
    with pytest.raises(UserError, match=r"is not built: run `lake exe cache get`"):
        installation(program, lake_project(tmp_path / "empty", "4.33.0", built=False))
    with pytest.raises(UserError, match=r"is for Lean 4.9.0, and `lean` here is 4.33.0: .*toolchain install 4.9.0"):
        installation(program, lake_project(tmp_path / "other", "4.9.0", built=True))
    project = lake_project(tmp_path / "right", "4.33.0", built=True)
    found = installation(program, project)
    assert found.libraries == (str(project / ".lake/packages/mathlib/.lake/build/lib/lean"),)
    assert dict(found.with_libraries("/x")) == {"LEAN_PATH": f"/x:{found.libraries[0]}"}
    assert found.version == "4.33.0"


@pytest.mark.parametrize(
    ("version", "sound"),
    [("4.9.0", False), ("4.32.1", False), ("4.32.2", True), ("4.33.0-rc1", True), ("5.0.0", True)],
)
def test_kernels_with_known_faults_are_named(tmp_path: Path, version: str, sound: bool) -> None:
    prover = LeanProver(program=pretend(tmp_path, version))
    assert ("accept false proofs" in prover.description()) is not sound
    assert ("kernel with known faults" in prover.ingredients()) is not sound
    assert prover.ingredients()["lean"] == version


def test_the_verdict_set_names_the_libraries_and_not_where_they_are(tmp_path: Path) -> None:
    program = pretend(tmp_path, "4.33.0")
    first, second = (lake_project(tmp_path / name, "4.33.0", built=True) for name in ("a", "b"))
    assert revision(first) == revision(second)
    (second / "lake-manifest.json").write_text("{}")
    assert revision(first) != revision(second)
    assert LeanProver(program=program, project=first).ingredients()["libraries"] == revision(first)
    assert {"program", "project", "workers"} <= LeanProver.operational


def test_a_change_of_a_projects_sources_is_another_revision(tmp_path: Path) -> None:
    for name, is_checkout in (("plain", False), ("checkout", True)):
        project = lake_project(tmp_path / name, "4.33.0", built=True)
        source = project / "Own.lean"
        source.write_text("def own := 1\n")
        if is_checkout:
            for command in ("init -q", "add .", "-c user.name=n -c user.email=e commit -q -m m"):
                subprocess.run(["git", "-C", str(project), *command.split()], check=True)
        before = revision(project)
        assert revision(project) == before
        source.write_text("def own := 2\n")
        assert revision(project) != before
        source.write_text("def own := 1\n")
        assert revision(project) == before


def test_a_toolchain_has_its_checker_and_shows_its_folder(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    pretend(tmp_path / "bin", "4.33.0")
    for name in ("lean", "leanchecker"):
        program = tmp_path / "bin" / name
        program.write_text((tmp_path / "bin" / "lean").read_text().replace(str(tmp_path / "bin"), str(tmp_path)))
        program.chmod(0o755)
    found = installation(str(tmp_path / "bin" / "lean"), None)
    assert found.checker == str(tmp_path / "bin" / "leanchecker")
    assert str(tmp_path) in found.shown
    assert os.path.realpath(found.program) == found.program
