"""The real `Dojo` of LeanDojo against a program that has its REPL, and asks the real Lean (`toy_lean.py`)."""

import contextlib
from collections.abc import Iterator

import pytest

from monkeys.testing import check_prover
from tasks.provers import UNCONFIRMED, Attempt, ProverFailedError, TheoremFaultError, attempt
from tasks.provers.doctor import diagnose
from tasks.provers.dojo.session import DojoSession
from tasks.provers.lean_dojo import LeanDojoProver
from tasks.records import TheoremCheck, Verdict
from tests.provers.dojo.conftest import HEADER

BOTH = pytest.mark.parametrize("tactic_s", [None, 3.0], ids=["whole", "by tactics"])
BOTH_ONE_SLOW = pytest.mark.parametrize(
    "tactic_s", [None, pytest.param(3.0, marks=pytest.mark.slow)], ids=["whole", "by tactics"]
)
NOT_A_REPLY = "it makes Lean write what is not its reply"


@contextlib.contextmanager
def running(prover: LeanDojoProver) -> Iterator[DojoSession]:
    session = prover.session()
    try:
        yield session
    finally:
        session.close()


def by(prover: LeanDojoProver, tactic_s: float | None, **changes: object) -> LeanDojoProver:
    return prover.model_copy(update={"tactic_time_limit_s": tactic_s, **changes})


def proved(prover: LeanDojoProver, session: DojoSession, body: str) -> Attempt:
    return attempt(session, prover.place(body, prover.probe.theorem))


@pytest.fixture(scope="module", params=[None, 3.0], ids=["whole", "by tactics"])
def session(request: pytest.FixtureRequest, prover: LeanDojoProver) -> Iterator[DojoSession]:
    """One that proofs of several tests share, for either mode."""
    with running(by(prover, request.param)) as opened:
        yield opened


def right(name: str) -> str:
    return f"intro {name}\nexact And.intro hp {name}"


def wrong(name: str) -> str:
    return f"intro {name}\nexact And.intro {name} hp"


@pytest.mark.parametrize(
    ("body", "verdict", "detail"),
    [
        (right("hq"), Verdict.CORRECT, ""),
        ("intro hq\nconstructor\nassumption\nassumption", Verdict.CORRECT, ""),
        (wrong("hq"), Verdict.ERROR, "ype mismatch"),
        ("intro hq", Verdict.ERROR, "unsolved goals"),
        ("intro hq\nconstructor\nassumption", Verdict.ERROR, "unsolved goals"),
        (f"{right('hq')}\nassumption", Verdict.ERROR, "no goals"),
        ("unknown_tactic", Verdict.ERROR, ""),
        ("exact oracle _", Verdict.WRONG, "it rests on oracle"),
    ],
)
def test_dojo_accepts_a_proof_if_it_holds(
    prover: LeanDojoProver, session: DojoSession, body: str, verdict: Verdict, detail: str
) -> None:
    made = proved(prover, session, body)
    assert made.verdict is verdict, made
    assert detail.lower() in made.detail.lower()


def test_a_proof_of_more_bytes_than_a_terminal_takes_is_graded(prover: LeanDojoProver, session: DojoSession) -> None:
    assert proved(prover, session, right("x" * 6000)).verdict is Verdict.CORRECT
    assert proved(prover, session, wrong("x" * 100_000)).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("name", "verdict", "detail"),
    [
        ("toy_prints", Verdict.CORRECT, ""),
        ("toy_forges", Verdict.ERROR, NOT_A_REPLY),
        pytest.param("toy_forges_two", Verdict.ERROR, NOT_A_REPLY, marks=pytest.mark.slow),
        ("toy_forges_finished", Verdict.ERROR, NOT_A_REPLY),
        ("toy_forges_error", Verdict.ERROR, NOT_A_REPLY),
        ("toy_half_a_line", Verdict.ERROR, NOT_A_REPLY),
        ("toy_not_json", Verdict.ERROR, NOT_A_REPLY),
        pytest.param("toy_not_an_object", Verdict.ERROR, NOT_A_REPLY, marks=pytest.mark.slow),
        pytest.param("toy_other_types", Verdict.ERROR, NOT_A_REPLY, marks=pytest.mark.slow),
        ("toy_crashes", Verdict.ERROR, "Lean crashes on it"),
        ("toy_exits", Verdict.ERROR, "it ends Lean (exit status 0)"),
        ("toy_cut_off", Verdict.ERROR, "it ends Lean (exit status 0)"),
        ("toy_is_killed", Verdict.INFRASTRUCTURE, "a process of LeanDojo was lost: "),
        ("toy_floods", Verdict.OUTPUT_LIMIT, "more than 16,777,216 bytes of messages"),
        ("toy_pages", Verdict.TIME_LIMIT, "more than 3 s of CPU time"),
        ("toy_spins", Verdict.TIME_LIMIT, "more than 3 s of CPU time"),
        pytest.param("toy_sleeps", Verdict.TIME_LIMIT, "more than 3 s of CPU time", marks=pytest.mark.slow),
        ("toy_hoards", Verdict.MEMORY_LIMIT, "out of memory"),
    ],
)
@BOTH_ONE_SLOW
def test_what_a_proof_does_to_the_process_decides_its_verdict_alone(
    prover: LeanDojoProver, name: str, verdict: Verdict, detail: str, tactic_s: float | None
) -> None:
    each = by(prover, tactic_s, time_limit_s=3.0)
    with running(each) as session:
        made = proved(each, session, right(name))
        assert made.verdict is verdict, made
        assert made.detail == detail or (detail.endswith(": ") and made.detail.startswith(detail)), made
        assert proved(each, session, wrong("hq")).verdict is Verdict.ERROR
        after = proved(each, session, right("hq"))
        assert after.verdict is Verdict.CORRECT, after


@BOTH_ONE_SLOW
@pytest.mark.parametrize(
    "trick", ["toy_forges", "toy_forges_two", "toy_forges_finished", "toy_forges_error", "toy_late", "toy_late_error"]
)
def test_a_forged_reply_is_never_taken_for_that_of_the_next_proof(
    prover: LeanDojoProver, trick: str, tactic_s: float | None
) -> None:
    each = by(prover, tactic_s)
    theorem = prover.probe.theorem
    with running(each) as session:
        for body, accepted in ((right("hq"), True), (wrong("hq"), False)) * 2:
            forged = session.propose(each.place(wrong(trick), theorem))
            assert forged.verdict is Verdict.ERROR, forged
            made = session.propose(each.place(body, theorem))
            assert (made.verdict is Verdict.CORRECT) == accepted, made


def test_a_tactic_has_its_own_limit(prover: LeanDojoProver) -> None:
    each = by(prover, 1.0, time_limit_s=30.0)
    with running(each) as session:
        made = proved(each, session, f"intro toy_spins\n{right('hq')}")
        assert (made.verdict, made.detail) == (Verdict.TIME_LIMIT, "more than 1 s of CPU time for a tactic")
        assert proved(each, session, right("hq")).verdict is Verdict.CORRECT


def test_a_goal_with_a_turnstile_in_a_string_does_not_fail(prover: LeanDojoProver) -> None:
    each = by(prover, 3.0)
    with running(each) as session:
        assert proved(each, session, right("toy_turnstile")).verdict is Verdict.CORRECT


@BOTH
@pytest.mark.parametrize(
    ("header", "statement", "why"),
    [
        ("prelude\nimport Absent", "theorem t : True := by", "Absent"),
        (HEADER, "theorem t : absent := by", "absent|not a proposition"),
        (f"{HEADER}\nopen Absent", "theorem t : True := by", "Absent"),
    ],
)
def test_a_theorem_that_does_not_load_is_not_held_against_the_proof(
    prover: LeanDojoProver, header: str, statement: str, why: str, tactic_s: float | None
) -> None:
    each, theorem = by(prover, tactic_s), TheoremCheck("lean", header, "t", statement)
    with running(each) as session:
        with pytest.raises(TheoremFaultError, match=why):
            session.load(theorem)
        made = attempt(session, each.place("exact True.intro", theorem))
        assert made.verdict is Verdict.INFRASTRUCTURE
        assert made.detail.startswith("the theorem does not load: "), made
        session.load(prover.probe.theorem)


def test_headers_end_where_they_end(prover: LeanDojoProver) -> None:
    """As it is installed, Dojo would write `open Lean.Parserset_option`."""
    for header in (f"{HEADER}\nopen Lean.Parser", f"{HEADER}\nopen Lean.Parser -- a comment", f"{HEADER}\n\n"):
        theorem = TheoremCheck("lean", header, "t", "theorem t : True := by")
        with running(prover) as session:
            assert attempt(session, prover.place("exact True.intro", theorem)).verdict is Verdict.CORRECT


def test_without_confirmation_a_correct_proof_is_marked(prover: LeanDojoProver) -> None:
    each = by(prover, None, confirm=False)
    assert each.ingredients()[UNCONFIRMED] is True
    assert UNCONFIRMED not in prover.ingredients()
    assert prover.ingredients()["lean-dojo"] == "4.20.0"
    with running(each) as session:
        assert proved(each, session, right("hq")).detail == UNCONFIRMED


def test_a_process_that_was_killed_is_replaced(prover: LeanDojoProver) -> None:
    with running(prover) as session:
        assert proved(prover, session, right("hq")).verdict is Verdict.CORRECT
        for process in session._pool.idle:
            process._process.kill()
            process._process._process.wait(10)
        assert proved(prover, session, right("hq")).verdict is Verdict.CORRECT


def test_a_process_is_replaced_after_its_proofs(prover: LeanDojoProver) -> None:
    few = by(prover, None, proofs_per_process=2)
    with running(few) as session:
        for _ in range(5):
            assert proved(few, session, wrong("hq")).verdict is Verdict.ERROR
            assert all(process.proofs < 2 for process in session._pool.idle)


def test_a_lean_that_does_not_start_gives_no_verdict(prover: LeanDojoProver, toy: object) -> None:
    dojo, lean = prover._installations()
    prover_session = prover.session()
    broken = DojoSession(
        dojo,
        lean._replace(program="/nonexistent/lean"),
        workers=1,
        limits=prover_session._limits,
        proofs_per_process=10,
        rules=prover_session._rules,
        confirms=False,
    )
    with contextlib.closing(broken), pytest.raises(ProverFailedError):
        broken.propose(prover.place(right("hq"), prover.probe.theorem))


@BOTH_ONE_SLOW
@pytest.mark.parametrize("confirm", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_lean_dojo_keeps_the_promises_of_a_prover(
    prover: LeanDojoProver, confirm: bool, tactic_s: float | None
) -> None:
    check_prover(by(prover, tactic_s, confirm=confirm, workers=2))


def test_monkeys_doctor_says_whether_it_works(prover: LeanDojoProver) -> None:
    state = diagnose(prover)
    assert state.works, state
    assert state.description.startswith("lean-dojo 4.20.0, Lean 4.35.0")
    assert "independent checker none" in state.description
