"""SWE-bench's own reading of a test log: which tests passed, and whether an issue is resolved.

The package swebench has a parser for each repository. It is an extra, and is imported without what its commands need.
Logs are hostile text and its regular expressions can take quadratic time, so `read_log` runs where it can be killed
(`tasks.answers.isolated`): its arguments and its value are JSON.
"""

import importlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tasks.errors import UserError

START, END, EXIT_CODE = ">>>>> Start Test Output", ">>>>> End Test Output", ">>>>> Test Exit Code"
"""What swebench looks for in a log. A script says the first two as the no-op `: '...'` that `set -x` prints."""


class LogReport(NamedTuple):
    """What a log says. `found` is whether it has results at all; `failed_to_fix` and `broken` are tests that should
    pass and do not, of those that failed and of those that passed before the patch. `passed` are the names of all tests
    that passed."""

    found: bool
    resolved: bool
    failed_to_fix: Sequence[str]
    broken: Sequence[str]
    passed: Sequence[str]


def swebench_version() -> str:
    """The version of the installed swebench.

    Raises:
        UserError: it is not installed, or is older than 5.
    """
    if find_spec("swebench") is None or find_spec("unidiff") is None:
        raise UserError(
            "grader: swe_bench needs the extra `swe` (swebench, which reads the logs of tests): run `make extra-swe`"
        )
    found = version("swebench")
    if int(found.partition(".")[0]) < 5:
        raise UserError(f"grader: swe_bench needs swebench 5, and {found} is installed: run `make extra-swe`")
    return found


def known_parsers() -> frozenset[str]:
    """The names of swebench's parsers; raises as `swebench_version` does."""
    swebench_version()
    return frozenset(_part("log_parsers").PARSER_REGISTRY)


def read_log(
    output: str, exit_code: int | None, parser: str, tests: tuple[list[str], list[str]], fail_only: bool
) -> list[Any]:
    """The report on what tests printed, as the fields of a `LogReport`.

    Args:
        output: what was printed between the markers, without them.
        exit_code: the test command's; None where it is not known.
        parser: the name of swebench's parser.
        tests: those that a patch must make pass, and those that passed before and must still pass.
        fail_only: tests count as passing unless they are reported as failed.
    """
    grading, constants, types = _part("grading"), _part("constants"), importlib.import_module("swebench.types")
    # What tests print cannot pass for what the script says around it.
    inner = output.replace(">>>>>", "> > >")
    log = f"{START}\n{inner}\n{END}\n" + ("" if exit_code is None else f"{EXIT_CODE}: {exit_code}\n")
    kind = constants.EvalType.FAIL_ONLY if fail_only else constants.EvalType.PASS_AND_FAIL
    spec = types.TestSpec(
        instance_id="issue",
        image="",
        eval_script_list=[],
        repo="",
        version="",
        FAIL_TO_PASS=tests[0],
        PASS_TO_PASS=tests[1],
        log_parser=parser,
        eval_type=kind.value,
    )
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(log)
        file.flush()
        prediction = {"instance_id": "issue", "model_patch": "", "model_name_or_path": ""}
        report = grading.get_eval_report(spec, prediction, file.name, include_tests_status=True)["issue"]
        statuses, _ = grading.get_logs_eval(spec, file.name)
    failures: Mapping[str, Any] = report.get("tests_status", {})
    return [
        bool(report["patch_successfully_applied"]),
        bool(report["resolved"]),
        failures.get("FAIL_TO_PASS", {}).get("failure", []),
        failures.get("PASS_TO_PASS", {}).get("failure", []),
        [name for name, status in statuses.items() if status == "PASSED"],
    ]


def _part(name: str) -> ModuleType:
    """A module of `swebench.harness`. That package imports Modal's client when it is imported itself, so it is entered
    as a plain folder of modules."""
    if "swebench.harness" not in sys.modules:
        swebench = importlib.import_module("swebench")
        package = ModuleType("swebench.harness")
        package.__path__ = [str(Path(swebench.__path__[0]) / "harness")]
        sys.modules["swebench.harness"] = package
    return importlib.import_module(f"swebench.harness.{name}")
