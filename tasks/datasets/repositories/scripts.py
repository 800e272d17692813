"""The evaluation script of a SWE-bench row that has none, as in the files of SWE-bench Lite and Verified.

Rows of later files have their script and the name of their log parser. The table in `swe_bench.json` has what
swebench 4.1.0 knew of the 18 Python repositories of both splits; swebench 5 no longer has it.
"""

import json
import re
import shlex
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from tasks.graders.repositories.report import END, START
from tasks.patches.unified import file_patches

FOLDER = "/testbed"
"""Where an image has the repository."""

_ENVIRONMENT = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
# These files of a test patch are not tests.
_DATA = (".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml")
_HEADER = re.compile(r"^diff --git a/.* b/(.*)", re.MULTILINE)
_HERE_DOCUMENT = "EOF_114329324912"


class HowTested(NamedTuple):
    """How a repository's tests are run: the script, and swebench's name of the parser of its output."""

    script: str
    log_parser: str


def how_tested(repository: str, version: str | None, base_commit: str, test_patch: str) -> HowTested | None:
    """How the tests of a row are run; None where the repository or its version is not known."""
    known = _table().get(repository)
    entry = known and next((each for each in known["scripts"] if version in each["versions"]), None)
    if not known or entry is None:
        return None
    changed = [each.old for each in file_patches(test_patch) if each.old is not None]
    reset = f"git checkout {base_commit} {' '.join(map(shlex.quote, changed))}"
    lines = [
        "#!/bin/bash",
        "set -uxo pipefail",
        *_ENVIRONMENT,
        f"cd {FOLDER}",
        *entry.get("before", ()),
        f"git config --global --add safe.directory {FOLDER}",
        f"cd {FOLDER}",
        "git status",
        "git show",
        f"git -c core.fileMode=false diff {base_commit}",
        *_ENVIRONMENT,
        *([entry["install"]] if "install" in entry else ()),
        reset,
        f"git apply -v - <<'{_HERE_DOCUMENT}'",
        test_patch,
        _HERE_DOCUMENT,
        f": '{START}'",
        " ".join([entry["test_command"], *_named_tests(repository, test_patch)]),
        f": '{END}'",
        reset,
    ]
    return HowTested("\n".join(lines) + "\n", known["log_parser"])


def _named_tests(repository: str, test_patch: str) -> list[str]:
    """The test files of a test patch, as the test command takes them: Django's are modules."""
    files = [path for path in _HEADER.findall(test_patch) if not path.endswith(_DATA)]
    if repository != "django/django":
        return files
    return [path.removesuffix(".py").removeprefix("tests/").replace("/", ".") for path in files]


@cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("swe_bench.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)["repositories"]
    return known
