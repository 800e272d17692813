"""Files that claim to prove `1 = 2` in Lean, each tried on both tiers separately. The first lines of each say which
part of a tier refuses it.

Tier 1 gets the file as a sample: the template refuses it, or the warm process. Tier 2 gets it as it is, without a
template: `lean` refuses it, or the comparison with our statement fails, or its axioms are not allowed.

The Lean of these tests has no library. Files that say "Needs Init" would do more with one: here, tier 2 refuses them
already because something is missing, so that they only test the template.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.provers import UnplaceableError
from tasks.provers.lean4.axioms import AXIOMS
from tasks.provers.lean4.confirmation import Rules, confirm_text
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import place
from tasks.provers.lean4.session import LeanSession
from tasks.records import TheoremCheck, Verdict

HEADER = "prelude\nimport MiniTactics"
TARGET = TheoremCheck("lean", HEADER, "target", "theorem target : Eq (α := Nat) 1 2 := by")
FOLDER = Path(__file__).parent / "lean_cheats"
CHEATS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.lean"))}
CAUGHT = {
    name: re.search(r"tier 1: (\w+); tier 2: (\w+)", text).groups()  # type: ignore[union-attr]
    for name, text in CHEATS.items()
}
RULES = Rules(1024, AXIOMS["standard"])
TIER_2 = {"statement": "it proves something else", "axioms": "it rests on", "compiler": "not confirmed"}


@pytest.fixture(scope="module")
def session(lean: Installation) -> Iterator[LeanSession]:
    opened = LeanSession(lean, workers=1, cpu_s=5.0, proofs_per_process=1000, rules=RULES, confirms=False)
    yield opened
    opened.close()


def by_tier_2(name: str, lean: Installation) -> None:
    _, caught = CAUGHT[name]
    attempt = confirm_text(CHEATS[name], place("skip", TARGET), lean, 5.0, RULES)
    assert attempt.verdict is (Verdict.ERROR if caught == "compiler" else Verdict.WRONG), attempt
    assert TIER_2[caught] in attempt.detail


QUICK = ("axiom_before", "local_instance", "sorry", "another_statement")


def test_there_are_as_many_as_the_docs_say() -> None:
    assert len(CHEATS) == 53


@pytest.mark.parametrize("name", CHEATS)
def test_the_first_tier_refuses_a_cheat(name: str, session: LeanSession) -> None:
    caught, _ = CAUGHT[name]
    try:
        proof = place(CHEATS[name], TARGET)
    except UnplaceableError:
        assert caught == "template"
        return
    assert session.propose(proof).verdict is Verdict.ERROR
    assert caught == "prover"


@pytest.mark.parametrize("name", QUICK)
def test_the_second_tier_alone_refuses_a_cheat(name: str, lean: Installation) -> None:
    by_tier_2(name, lean)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHEATS if name not in QUICK])
def test_the_second_tier_alone_refuses_every_cheat(name: str, lean: Installation) -> None:
    by_tier_2(name, lean)
