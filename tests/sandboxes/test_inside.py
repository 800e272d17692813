"""What runs inside a sandbox keeps to the rules of `sandboxes/inside/README.md`."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

INSIDE = Path(__file__).resolve().parents[2] / "sandboxes" / "inside"
SERVER = ("executor.py", "program.py", "ending.py", "usage.py", "child.py", "cleanup.py", "start.py")
MODULE = ("remote.py", "values.py", "proxies.py", "checking.py")
COMMAND = ("command.py",)
FILES = (*SERVER, *MODULE, *COMMAND)
OLDEST = (3, 8)


def tree_of(name: str) -> ast.Module:
    return ast.parse((INSIDE / name).read_text(encoding="utf-8"), name, feature_version=OLDEST)


def test_every_file_is_known() -> None:
    assert sorted(path.name for path in INSIDE.glob("*.py")) == sorted((*FILES, "__init__.py"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_inside_imports_only_the_standard_library(name: str) -> None:
    tree = tree_of(name)
    for_checkers = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    skipped = {inner for node in for_checkers for part in node.body for inner in ast.walk(part)}
    imported: set[str] = set()
    for node in ast.walk(tree):
        if node not in skipped and isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if node not in skipped and isinstance(node, ast.ImportFrom):
            imported.add(node.module or ".")
    assert {module.partition(".")[0] for module in imported} <= sys.stdlib_module_names
    assert not imported & {"typing", "pathlib"}


@pytest.mark.parametrize("parts", [SERVER, MODULE])
def test_no_two_parts_of_one_namespace_define_the_same_name(parts: tuple[str, ...]) -> None:
    defined: Counter[str] = Counter()
    for name in parts:
        for node in tree_of(name).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined[node.name] += 1
            if isinstance(node, ast.Assign):
                defined.update(
                    {found.id for target in node.targets for found in ast.walk(target) if isinstance(found, ast.Name)}
                )
    del defined["TYPE_CHECKING"]
    assert [name for name, times in defined.items() if times > 1] == []
