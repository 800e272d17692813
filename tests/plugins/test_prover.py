"""The prover of the guide as a plug-in: in a sweep file, in `monkeys doctor`, and checked by `monkeys.testing`."""

import json
from pathlib import Path

import pytest

from monkeys.testing import ContractError, check_prover
from tests.flows.command import monkeys
from tests.plugins.installed import install
from tests.plugins.test_testing import broken, of_guide

POINTS = "[monkeys.provers]\nabacus = shop:AbacusProver\n[monkeys.datasets]\nadditions = additions:AdditionsDataset\n"
ADDITIONS = """
from typing import ClassVar, Literal

from tasks.plugins import Config
from tasks.records import Problem, TheoremCheck


class AdditionsDataset(Config):
    template: ClassVar[str] = "question"
    grader: ClassVar[str] = "proof"
    graders: ClassVar[tuple[str, ...]] = ("proof",)
    stop: ClassVar[tuple[str, ...]] = ()
    max_tokens: ClassVar[int] = 16

    name: Literal["additions"] = "additions"

    def load(self):
        return [Problem("a", "?", TheoremCheck("abacus", "", "a", "2 + 3 = 5"))]

    def solutions(self):
        return iter(())
"""
SWEEP = "dataset: additions\nengine: {name: recorded, path: s.jsonl}\ngrader: {name: proof, prover: NAME}\nk: 3\n"


@pytest.fixture
def site(tmp_path: Path) -> str:
    modules = {"shop.py": of_guide("shop/provers.py"), "additions.py": ADDITIONS}
    rows = enumerate(["compute", "guess", "two words"])
    samples = (
        json.dumps({"problem_id": "a", "index": index, "text": text, "tokens": 2, "prompt_tokens": 1})
        for index, text in rows
    )
    (tmp_path / "s.jsonl").write_text("\n".join(samples))
    return install(tmp_path / "site", modules, POINTS, "shop", "0.1")


def test_a_sweep_file_chooses_the_prover_of_a_plug_in(site: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SWEEP.replace("NAME", "abacus"))
    done = monkeys("sweep", "s.yaml", cwd=tmp_path, PYTHONPATH=site)
    assert done.code == 0, done.err
    (path,) = (tmp_path / "runs" / "verdicts").glob("*/*/set.json")
    verdicts = json.loads(path.read_text())
    assert verdicts["plugins"] == {"prover": "shop 0.1"}
    assert verdicts["limits"]["abacus"] == "1.0"
    shown = json.loads(monkeys("show", "additions", "--json", cwd=tmp_path).out)
    assert shown["verdicts"][0]["counts"] == {"correct": 1, "error": 1, "no_answer": 1}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("coq", "s.yaml: grader.prover.name: 'coq' is unknown; one of "),
        ("{name: abacus, workers: 0}", "s.yaml: grader.prover.workers: input should be greater than or equal to 1"),
    ],
)
def test_a_prover_that_cannot_be_chosen_is_named_with_its_field(
    site: str, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "s.yaml").write_text(SWEEP.replace("NAME", name))
    done = monkeys("sweep", "s.yaml", cwd=tmp_path, PYTHONPATH=site)
    assert done.code == 2
    assert message in done.err


@pytest.mark.slow
def test_verdicts_that_are_only_proposed_are_marked_wherever_they_are_shown(site: str, tmp_path: Path) -> None:
    path = Path(site, "shop.py")
    text = path.read_text().replace("def propose(", "def first(").replace("def confirm(", "def propose(")
    text = text.replace("def first(", "def confirm(").replace(
        '{"abacus": "1.0"}', '{"abacus": "1.0", "not confirmed": True}'
    )
    path.write_text(text)
    (tmp_path / "t.jsonl").write_text((tmp_path / "s.jsonl").read_text().replace("guess", "compute"))
    for name in ("s", "t"):
        (tmp_path / f"{name}.yaml").write_text(SWEEP.replace("NAME", "abacus").replace("s.jsonl", f"{name}.jsonl"))
        done = monkeys("sweep", f"{name}.yaml", cwd=tmp_path, PYTHONPATH=site)
        assert done.code == 0, done.err
        assert "Correct proofs are not confirmed" in " ".join(done.out.split())
    names = sorted(path.name for path in (tmp_path / "runs" / "samples").iterdir())
    for page in (tmp_path / "runs" / "reports").glob("**/report.html"):
        assert "Correct proofs are not confirmed" in page.read_text()
        assert "proof, version 4, not confirmed" in page.read_text()
    for command in (
        ("ls",),
        ("show", names[0]),
        ("compare", *names),
        ("cost", *names),
        ("pick", "--store", "runs", names[0]),
    ):
        done = monkeys(*command, cwd=tmp_path, PYTHONPATH=site)
        assert done.code == 0, done.err
        assert "not confirmed" in " ".join(done.out.split()), command


def test_a_broken_prover_is_a_fault_only_where_it_is_named(site: str, tmp_path: Path) -> None:
    path = Path(site, "shop.py")
    path.write_text(path.read_text().replace("def place(", "def places("))
    (tmp_path / "s.yaml").write_text(SWEEP.replace("NAME", "abacus"))
    done = monkeys("sweep", "s.yaml", cwd=tmp_path, PYTHONPATH=site)
    assert done.code == 2
    assert "plug-in abacus (shop 0.1) cannot be used: shop:AbacusProver lacks `place` (Prover in tasks.provers)" in (
        done.err
    )


@pytest.mark.slow
def test_doctor_tries_the_prover_of_a_plug_in(site: str, tmp_path: Path) -> None:
    document = json.loads(monkeys("doctor", "--json", cwd=tmp_path, PYTHONPATH=site).out)
    (state,) = (each for each in document["provers"] if each["name"] == "abacus")
    assert state["works"]
    assert state["description"] == "1.0, which checks each proof by itself"


def test_the_prover_of_the_guide_keeps_its_promises() -> None:
    check_prover(broken(of_guide("shop/provers.py"), "", "")["AbacusProver"](workers=2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('proof.proof != ("compute",)', "not proof.proof", "the wrong proof is correct"),
        ("if len(sums) == 1 else", "if len(sums) == 2 else", "the right proof is error"),
        ("return Attempt(Verdict.ERROR", "return Attempt(Verdict.INFRASTRUCTURE", "the wrong proof is infrastructure"),
        ('"a proof is one word"', '""', "does not say why"),
        ('raise UnplaceableError("a proof is one word")', 'raise ValueError("no word")', "ValueError on the sample"),
        ("theorem.system != self.name or", "", "accepts a theorem of another system"),
        ('return {"abacus": "1.0"}', 'return {"not confirmed": True}', "ingredients say"),
        ('return {"abacus": "1.0"}', 'return {"abacus": {1}}', "ingredients is not JSON"),
        ("(text.strip(),)", "(text.strip(), str(__import__('time').monotonic_ns()))", "two proofs for one text"),
        ("(text.strip(),)", '("compute",)', "the same proof"),
        ("self.workers = workers", "self.workers = 0", "workers is 0"),
        ('description="Proofs that run at once"', "", "have no description: workers"),
    ],
)
def test_a_broken_prover_is_found(old: str, new: str, message: str) -> None:
    prover = broken(of_guide("shop/provers.py"), old, new)["AbacusProver"]()
    with pytest.raises(ContractError, match=message):
        check_prover(prover)
