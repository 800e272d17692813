"""The documentation's site has no broken links, and its generated pages are up to date."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.generate_docs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_long_description_is_in_the_sweep_file_page_once_and_references_lead_to_it() -> None:
    page = (ROOT / "docs/sweep_file.md").read_text(encoding="utf-8")
    _, _, graders = page.partition("\n## grader\n")
    assert graders.count("| `thinking_tags` |") > 5
    assert graders.count("an opening and a closing one, such as [THINK]") == 1
    headings = {line.lstrip("# ").replace(":", "").replace(" ", "-") for line in page.splitlines() if line[:1] == "#"}
    references = re.findall(r"\(\[more\]\(#([^)]+)\)\)", page)
    assert references
    assert set(references) <= headings


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    if not mkdocs.is_file():
        pytest.skip("mkdocs is not installed")
    done = subprocess.run(
        [mkdocs, "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "Coverage" in (tmp_path / "site/concepts/index.html").read_text(encoding="utf-8")
