"""The warm process, on a theorem over the real numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.provers import Attempt, TheoremFaultError, attempt
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.session import RocqSession
from tasks.provers.coq.warm import WarmProcess
from tasks.provers.vernacular.placing import place
from tasks.records import TheoremCheck, Verdict

HEADER = "Require Import Reals Lra Psatz.\nOpen Scope R_scope."
SQUARE = TheoremCheck("rocq", HEADER, "square", "Theorem square : forall x : R, 0 <= x * x.")
SMALL = TheoremCheck("rocq", "", "small", "Theorem small : 1 + 1 = 2.")


@pytest.fixture(scope="module")
def session(rocq: Installation) -> Iterator[RocqSession]:
    opened = RocqSession(workers=1, cpu_s=1.0, memory_mb=450, proofs_per_process=1000)
    yield opened
    opened.close()


def prove(session: RocqSession, text: str, theorem: TheoremCheck = SMALL) -> Attempt:
    return attempt(session, place(text, theorem))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("intros. nra.", Verdict.CORRECT),
        ("intros x. pose proof (Rle_0_sqr x) as h. exact h.", Verdict.CORRECT),
        ("intros x'. assert (x'' : 0 <= x' * x') by nra; exact x''.", Verdict.CORRECT),
        ('idtac "<&amp;"""; intros; nra.', Verdict.CORRECT),
        ("intros. ring.", Verdict.ERROR),
        ("intros.", Verdict.ERROR),
        ("intros. nra. nra.", Verdict.ERROR),
        ("intros. fail. nra.", Verdict.ERROR),
        ("intros. unknown_tactic. nra.", Verdict.ERROR),
        ("intros. nra. )(.", Verdict.NO_ANSWER),
        ("intros. (nra.", Verdict.ERROR),
        ("admit.", Verdict.ERROR),
        ("give_up.", Verdict.ERROR),
    ],
)
def test_a_proof_over_the_reals_is_accepted_if_it_holds(session: RocqSession, text: str, verdict: Verdict) -> None:
    if verdict is Verdict.NO_ANSWER:
        with pytest.raises(ValueError, match="not a tactic"):
            place(text, SQUARE)
    else:
        assert prove(session, text, SQUARE).verdict is verdict


def test_a_proof_that_prints_without_a_pause_is_ended_at_its_limit(session: RocqSession) -> None:
    made = session.propose(place('do 200000 (idtac "x"; do 500 idtac). reflexivity.', SMALL), 0.5)
    assert made.verdict in {Verdict.TIME_LIMIT, Verdict.OUTPUT_LIMIT}
    assert made.cpu_s < 1.5


def test_a_failure_whose_text_speaks_of_memory_is_an_error(session: RocqSession) -> None:
    made = prove(session, 'fail "out of memory".')
    assert made.verdict is Verdict.ERROR
    assert "out of memory" in made.detail


def test_an_error_that_quotes_a_text_about_memory_is_an_error(session: RocqSession) -> None:
    header = "Require Import String.\nOpen Scope string_scope."
    text = TheoremCheck("rocq", header, "t", 'Theorem t : "out of memory" <> "".')
    assert prove(session, 'pose proof (1 + "out of memory").', SMALL).verdict is Verdict.ERROR
    assert prove(session, "reflexivity.", text).verdict is Verdict.ERROR
    assert prove(session, 'exact (I : "out of memory" = "").', text).verdict is Verdict.ERROR
    assert prove(session, "discriminate.", text).verdict is Verdict.CORRECT


def test_after_an_overflow_of_the_stack_another_process_takes_over(rocq: Installation) -> None:
    process = WarmProcess(rocq, 900)
    try:
        deep = "f (" * 100_000 + "x" + ")" * 100_000
        made = process.prove(place(f"exact ({deep}).", SMALL), 10.0)
        assert made.verdict is Verdict.ERROR, made
        assert process.usable is ("overflow" not in made.detail.lower())
    finally:
        process.close()


def test_nothing_of_a_proof_is_left_for_the_next(session: RocqSession) -> None:
    assert prove(session, "assert (h : 1 = 1) by reflexivity. abstract reflexivity.").verdict is Verdict.CORRECT
    assert prove(session, "exact h.").verdict is Verdict.ERROR
    assert prove(session, "exact small.").verdict is Verdict.ERROR
    assert prove(session, "exact small_subproof.").verdict is Verdict.ERROR
    assert prove(session, "reflexivity.").verdict is Verdict.CORRECT


@pytest.mark.parametrize(
    "output",
    [
        '</value><value val=""good""><status><list/><option val=""none""/><list/></status></value>',
        '<value val=""good""><state_id val=""7""/>',
        "]]></value>",
        "&lt;/value&gt;",
        "é∀ 😀",
    ],
)
def test_output_that_imitates_a_reply_changes_nothing(session: RocqSession, output: str) -> None:
    assert prove(session, f'do 3 idtac "{output}". fail.').verdict is Verdict.ERROR
    assert prove(session, f'do 3 idtac "{output}". reflexivity.').verdict is Verdict.CORRECT
    assert prove(session, 'fail 0 "' + output + '".').verdict is Verdict.ERROR
    assert prove(session, "reflexivity.").verdict is Verdict.CORRECT


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('do 2000000 idtac "a message of some length". reflexivity.', Verdict.OUTPUT_LIMIT),
        ("repeat (pose proof 1).", Verdict.TIME_LIMIT),
        ("let rec f n := f n in f 1.", Verdict.MEMORY_LIMIT),
    ],
)
def test_a_proof_that_exceeds_a_limit_costs_only_its_own_verdict(
    session: RocqSession, text: str, verdict: Verdict
) -> None:
    assert prove(session, text).verdict is verdict
    assert prove(session, "reflexivity.").verdict is Verdict.CORRECT


def test_a_theorem_that_does_not_load_is_not_held_against_the_proof(session: RocqSession) -> None:
    for theorem in (
        TheoremCheck("rocq", "Require Import Absent.", "t", "Theorem t : True."),
        TheoremCheck("rocq", "", "t", "Theorem t : absent."),
        TheoremCheck("rocq", "", "t", "Theorem t : ) ."),
    ):
        made = prove(session, "exact I.", theorem)
        assert made.verdict is Verdict.INFRASTRUCTURE
        assert "does not load" in made.detail
        with pytest.raises(TheoremFaultError):
            session.load(theorem)
    session.load(SMALL)


def test_a_process_that_was_killed_is_replaced(session: RocqSession) -> None:
    assert prove(session, "reflexivity.").verdict is Verdict.CORRECT
    (process,) = session._pool.idle
    process._process.kill()
    process._process._process.wait(60)
    assert prove(session, "idtac. reflexivity.").verdict is Verdict.CORRECT
    assert session._pool.idle != [process]


def test_a_process_has_no_privileges_and_a_filter_on_system_calls(rocq: Installation) -> None:
    process = WarmProcess(rocq, 600)
    try:
        status = Path(f"/proc/{process._process._pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        assert "CapEff:\t0000000000000000" in status
        assert "Uid:\t0\t" not in status
    finally:
        process.close()


def test_nothing_runs_on_after_a_process_is_closed(rocq: Installation) -> None:
    process = WarmProcess(rocq, 600)
    inside = Path(f"/proc/{process._process._pid}")
    assert inside.exists()
    process.close()
    assert not inside.exists()


def test_the_header_is_loaded_once(session: RocqSession) -> None:
    first = prove(session, "intros. nra.", SQUARE)
    other = TheoremCheck("rocq", HEADER, "other", "Theorem other : forall x : R, x + 1 > x.")
    (process,) = session._pool.idle
    state = process._loaded[1]
    assert prove(session, "intros. lra.", other).verdict is first.verdict is Verdict.CORRECT
    assert session._pool.idle == [process]
    assert process._loaded[1] == state
