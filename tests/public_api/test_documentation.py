"""The examples in docs/python_api.md and in the docstrings run as written."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python_api.md"


@pytest.mark.parametrize("name", ["monkeys.analysis", "monkeys.grading"])
def test_examples_in_docstrings_are_right(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert not failed


def test_the_code_of_the_python_api_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_url: str
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 9
    names: dict[str, object] = {}
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    assert (tmp_path / "runs" / "samples").is_dir()
