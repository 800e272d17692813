"""Both tiers with the real Lean, on theorems over the library of these tests (`lean/Mini.lean`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.provers import Attempt, TheoremFaultError, attempt
from tasks.provers.lean4.axioms import AXIOMS
from tasks.provers.lean4.confirmation import Rules
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import MAX_CHARACTERS, place
from tasks.provers.lean4.session import LeanSession
from tasks.provers.lean4.worker import Worker
from tasks.records import TheoremCheck, Verdict

HEADER = "prelude\nimport MiniTactics"
PAIR = TheoremCheck("lean", HEADER, "pair", "theorem pair (p q : Prop) (hp : p) : q → And p q := by")
SUM = TheoremCheck("lean", HEADER, "sum", "theorem sum : Eq (Nat.add 1 1) 2 := by")
ENDLESS = TheoremCheck(
    "lean", f"{HEADER}\n\nset_option maxHeartbeats 0\nset_option maxRecDepth 1000000", "sum", SUM.statement
)
TOWER = "Nat.rec (motive := fun _ => Nat → Nat) (fun n => Nat.succ n) (fun _ f n => f (f n))"
RULES = Rules(1024, AXIOMS["standard"])


@pytest.fixture(scope="module")
def session(lean: Installation) -> Iterator[LeanSession]:
    opened = LeanSession(lean, workers=1, cpu_s=10.0, proofs_per_process=1000, rules=RULES, confirms=True)
    yield opened
    opened.close()


def prove(session: LeanSession, text: str, theorem: TheoremCheck = PAIR) -> Attempt:
    return session.propose(place(text, theorem))


@pytest.mark.parametrize(
    ("text", "verdict", "detail"),
    [
        ("intro hq\nconstructor\nassumption\nassumption", Verdict.CORRECT, ""),
        ("intro hq\nconstructor\n(assumption)\nexact hq", Verdict.CORRECT, ""),
        ("exact And.intro hp", Verdict.CORRECT, ""),
        ("  intro hq -- a comment\n\n  exact And.intro hp hq", Verdict.CORRECT, ""),
        ("intro hq\nexact And.intro hq hp", Verdict.ERROR, "type"),
        ("intro hq", Verdict.ERROR, "unsolved goals"),
        ("intro hq\nconstructor\nassumption", Verdict.ERROR, "unsolved goals"),
        ("intro hq\nassumption", Verdict.ERROR, "assumption"),
        ("unknown_tactic", Verdict.ERROR, "unknown tactic"),
        ("  intro hq\n    exact And.intro hp hq", Verdict.ERROR, ""),
        ("exact pair p q hp", Verdict.ERROR, "termination"),
        ("exact fun hq => And.intro hp ?_", Verdict.ERROR, ""),
        ("exact oracle _", Verdict.WRONG, "it rests on oracle"),
        ("exact Mini.propext _", Verdict.WRONG, "it rests on Mini.propext"),
    ],
)
def test_a_warm_worker_accepts_a_proof_if_it_holds(
    session: LeanSession, text: str, verdict: Verdict, detail: str
) -> None:
    proposed = prove(session, text)
    assert proposed.verdict is verdict, proposed
    assert detail in proposed.detail


def test_an_accepted_proof_is_confirmed_in_fresh_processes(session: LeanSession) -> None:
    confirmed = attempt(session, place("intro hq\nexact And.intro hp hq", PAIR))
    assert (confirmed.verdict, confirmed.detail) == (Verdict.CORRECT, "")


def test_axioms_of_the_standard_library_may_be_forbidden(lean: Installation) -> None:
    equal = TheoremCheck("lean", HEADER, "equal", "theorem equal (p q : Prop) (h : p → q) (g : q → p) : Eq p q := by")
    proof = place("exact propext h g", equal)
    for name, verdict in (("standard", Verdict.CORRECT), ("none", Verdict.WRONG)):
        rules = Rules(1024, AXIOMS[name])
        opened = LeanSession(lean, workers=1, cpu_s=10.0, proofs_per_process=10, rules=rules, confirms=True)
        try:
            proposed, confirmed = opened.propose(proof), opened.confirm(proof)
        finally:
            opened.close()
        assert proposed.verdict is verdict
        assert confirmed is not None
        assert confirmed.verdict is verdict


@pytest.mark.parametrize(
    ("header", "statement", "why"),
    [
        ("prelude\nimport Absent", "theorem t : True := by", "Absent"),
        (HEADER, "theorem t : absent := by", "absent"),
        (HEADER, "theorem t : := by", "expected"),
        (f"{HEADER}\nopen Absent", "theorem t : True := by", "Absent"),
    ],
)
def test_a_theorem_that_does_not_load_is_not_held_against_the_proof(
    session: LeanSession, header: str, statement: str, why: str
) -> None:
    theorem = TheoremCheck("lean", header, "t", statement)
    for use in (session.load, lambda it: session.propose(place("exact True.intro", it))):
        with pytest.raises(TheoremFaultError, match=why):
            use(theorem)
    with pytest.raises(TheoremFaultError, match=why):
        session.confirm(place("exact True.intro", theorem))


def test_the_header_is_loaded_once_for_all_theorems_with_it(session: LeanSession) -> None:
    prove(session, "exact Eq.refl 2", SUM)
    (worker,) = [each for each in session._pool.idle if each.header == HEADER]
    before = worker.proofs
    assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT
    assert prove(session, "exact Eq.refl 2", SUM).verdict is Verdict.CORRECT
    assert worker.proofs == before + 2


@pytest.mark.parametrize(
    ("cpu_s", "memory_mb", "verdict"), [(1.0, 1024, Verdict.TIME_LIMIT), (30.0, 200, Verdict.MEMORY_LIMIT)]
)
def test_a_proof_that_never_ends_costs_only_its_own_verdict(
    lean: Installation, cpu_s: float, memory_mb: int, verdict: Verdict
) -> None:
    rules = Rules(memory_mb, frozenset())
    session = LeanSession(lean, workers=1, cpu_s=cpu_s, proofs_per_process=10, rules=rules, confirms=False)
    try:
        assert prove(session, f"exact (Eq.refl 2 : Eq ({TOWER} 60 0) 2)", ENDLESS).verdict is verdict
        assert prove(session, "exact Eq.refl 2", ENDLESS).verdict is Verdict.CORRECT
    finally:
        session.close()


def test_a_proof_as_long_as_may_be_is_graded(session: LeanSession) -> None:
    text = f'exact "{"x" * (MAX_CHARACTERS - 20)}"'
    assert prove(session, text).verdict is Verdict.ERROR
    assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT


@pytest.mark.parametrize("text", ["Content-Length: 2", "'pair' does not depend on any axioms", "]]", "é∀ 😀"])
def test_messages_that_imitate_a_reply_change_nothing(session: LeanSession, text: str) -> None:
    assert prove(session, f'exact "{text}"').verdict is Verdict.ERROR
    assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT


def test_a_process_that_was_killed_is_replaced(session: LeanSession) -> None:
    assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT
    for worker in session._pool.idle:
        worker._process.kill()
        worker._process._process.wait(60)
    assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT


def test_a_worker_is_replaced_after_its_number_of_proofs(lean: Installation) -> None:
    session = LeanSession(lean, workers=1, cpu_s=5.0, proofs_per_process=2, rules=RULES, confirms=False)
    seen = set()
    for _ in range(5):
        assert prove(session, "exact And.intro hp").verdict is Verdict.CORRECT
        seen |= {id(each) for each in session._pool.idle}
        assert all(each.proofs < 2 for each in session._pool.idle)
    session.close()
    assert seen
    assert session._pool.idle == []


def test_a_worker_has_no_privileges_and_ends_when_it_is_closed(lean: Installation) -> None:
    worker = Worker(lean, HEADER, 1024)
    inside = Path(f"/proc/{worker._process._pid}")
    try:
        status = (inside / "status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        assert "CapEff:\t0000000000000000" in status
        assert "Uid:\t0\t" not in status
    finally:
        worker.close()
    assert not inside.exists()
