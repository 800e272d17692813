"""`monkeys doctor` and the sandboxes of plug-ins."""

import json
from pathlib import Path

import pytest

from tests.flows.command import monkeys
from tests.plugins.installed import install
from tests.plugins.test_testing import of_guide

POINTS = "[monkeys.sandboxes]\nlogged = shop:LoggedConfig\n"


@pytest.mark.slow
def test_doctor_names_a_sandbox_that_it_cannot_try_for_lack_of_a_default(tmp_path: Path) -> None:
    field = '    name: Literal["logged"] = "logged"\n'
    text = of_guide("shop/sandboxes.py").replace(field, f"{field}    host: str\n    port: int\n")
    site = install(tmp_path / "site", {"shop.py": text}, POINTS, "shop")
    done = monkeys("doctor", cwd=tmp_path, PYTHONPATH=site)
    assert "logged: not tried, because it needs host and port" in done.out.splitlines()
    document = json.loads(monkeys("doctor", "--json", cwd=tmp_path, PYTHONPATH=site).out)
    assert document["not_tried"]["logged"] == ["host", "port"]
    assert "logged" not in [each["name"] for each in document["sandboxes"]]


@pytest.mark.slow
def test_doctor_tries_a_sandbox_of_a_plug_in(tmp_path: Path) -> None:
    site = install(tmp_path / "site", {"shop.py": of_guide("shop/sandboxes.py")}, POINTS, "shop")
    document = json.loads(monkeys("doctor", "--json", cwd=tmp_path, PYTHONPATH=site).out)
    assert "logged" in [each["name"] for each in document["sandboxes"]]
    assert "logged" not in document["not_tried"]
