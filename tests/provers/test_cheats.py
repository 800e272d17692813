"""Files that claim to prove `S O = O`, each tried on both tiers separately. The first comment of each says which part
of a tier refuses it.

Tier 1 gets the file as a sample: the template refuses it, or the warm process, perhaps at a limit. Tier 2 gets it as it
is, as if there were no template: `coqc` refuses it, or the proof of our statement by the theorem fails, or its axioms
are not allowed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.provers import UnplaceableError
from tasks.provers.coq.confirmation import AXIOMS, Rules, confirm_text
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.session import RocqSession
from tasks.provers.vernacular.placing import place
from tasks.records import TheoremCheck, Verdict

TARGET = TheoremCheck("rocq", "", "target", "Theorem target : S O = O.")
CHEATS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "cheats").glob("*.v"))
}
CAUGHT = {
    name: re.search(r"tier 1: (\w+); tier 2: (\w+)", text).groups()  # type: ignore[union-attr]
    for name, text in CHEATS.items()
}
LIMITS = {Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT}
RULES = Rules(300, AXIOMS["standard"], loading_s=2.0)
TIER_2 = {
    "statement": "it proves something else",
    "axioms": "it rests on",
    "compiler": "not confirmed",
}


@pytest.fixture(scope="module")
def session(rocq: Installation) -> Iterator[RocqSession]:
    opened = RocqSession(workers=1, cpu_s=1.0, memory_mb=300, proofs_per_process=1000)
    yield opened
    opened.close()


def by_tier_1(name: str, session: RocqSession) -> None:
    caught, _ = CAUGHT[name]
    try:
        proof = place(CHEATS[name], TARGET)
    except UnplaceableError:
        assert caught == "template"
        return
    attempt = session.propose(proof)
    assert attempt.verdict in (LIMITS if caught == "limit" else {Verdict.ERROR}), attempt
    assert caught != "template", proof
    assert session.propose(place("discriminate.", TARGET)).verdict is Verdict.ERROR


def by_tier_2(name: str, rocq: Installation) -> None:
    _, caught = CAUGHT[name]
    attempt = confirm_text(CHEATS[name], place("reflexivity.", TARGET), rocq, 1.0, RULES)
    if caught == "limit":
        assert attempt.verdict in LIMITS, attempt
    else:
        assert attempt.verdict is (Verdict.ERROR if caught == "compiler" else Verdict.WRONG), attempt
        assert TIER_2[caught] in attempt.detail


QUICK = ("admitted", "axiom_inside", "comment", "forged_xml", "notation")


@pytest.mark.parametrize("name", [name for name in CHEATS if CAUGHT[name][0] != "limit"])
def test_the_first_tier_refuses_a_cheat(name: str, session: RocqSession) -> None:
    by_tier_1(name, session)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHEATS if CAUGHT[name][0] == "limit"])
def test_the_first_tier_stops_a_proof_that_takes_everything(name: str, session: RocqSession) -> None:
    by_tier_1(name, session)


@pytest.mark.parametrize("name", QUICK)
def test_the_second_tier_alone_refuses_a_cheat(name: str, rocq: Installation) -> None:
    by_tier_2(name, rocq)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHEATS if name not in QUICK])
def test_the_second_tier_alone_refuses_every_cheat(name: str, rocq: Installation) -> None:
    by_tier_2(name, rocq)
