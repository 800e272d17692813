"""Proofs that begin alike: the warm process runs what they have in common once, and says the same as a fresh one."""

from collections.abc import Iterator

import pytest

from sandboxes.confined_command import Allowance
from tasks.provers import UnplaceableError
from tasks.provers.coq import warm
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.warm import WarmProcess
from tasks.provers.vernacular.placing import place
from tasks.records import TheoremCheck, Verdict
from tests.provers.truth import CASES

AND = TheoremCheck("rocq", "", "t", "Theorem t : forall n : nat, n = n /\\ True.")
SLOW = "do 300000 idtac."


@pytest.fixture
def process(rocq: Installation) -> Iterator[WarmProcess]:
    opened = WarmProcess(rocq, 600)
    yield opened
    opened.close()


def added(process: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sentences that the process gets from now on."""
    got: list[str] = []
    sentence = process._sentence

    def noted(text: str, allowed: Allowance):
        got.append(text)
        return sentence(text, allowed)

    monkeypatch.setattr(process, "_sentence", noted)
    return got


def prove(process: WarmProcess, text: str, cpu_s: float = 5.0, tactic_cpu_s: float | None = None):
    return process.prove(place(text, AND), cpu_s, tactic_cpu_s)


def test_what_two_proofs_begin_with_runs_once(process: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prove(process, "intros n. split. - reflexivity. - exact I.").verdict is Verdict.CORRECT
    got = added(process, monkeypatch)
    assert prove(process, "intros n. split. - reflexivity. - auto.").verdict is Verdict.CORRECT
    assert got == ["auto.", "Qed."]
    assert prove(process, "intros n. split. - reflexivity. - auto.").verdict is Verdict.CORRECT
    assert got == ["auto.", "Qed."]
    assert prove(process, "intros n. split. - reflexivity.").verdict is Verdict.ERROR
    assert got == ["auto.", "Qed.", "Qed."]
    assert prove(process, "intros n. auto.").verdict is Verdict.CORRECT
    assert prove(process, "intros m. exact I.").verdict is Verdict.ERROR


def test_a_sentence_that_failed_is_not_run_again(process: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prove(process, "intros n. split. exact I. auto.")
    assert first.verdict is Verdict.ERROR
    got = added(process, monkeypatch)
    again = prove(process, "intros n. split. exact I. reflexivity. exact I.")
    assert again[:3] == first[:3]
    assert got == []
    assert prove(process, "intros n. split. reflexivity. exact I.").verdict is Verdict.CORRECT


def test_sentences_that_ran_for_another_theorem_are_not_kept(process: WarmProcess) -> None:
    false = TheoremCheck("rocq", "", "t", "Theorem t : forall n : nat, n = S n /\\ True.")
    assert prove(process, "intros n. split; [reflexivity | exact I].").verdict is Verdict.CORRECT
    assert process.prove(place("intros n. split; [reflexivity | exact I].", false), 5.0).verdict is Verdict.ERROR
    assert prove(process, "intros n. split; [reflexivity | exact I].").verdict is Verdict.CORRECT


def test_a_proof_is_charged_the_time_of_all_of_its_sentences(process: WarmProcess) -> None:
    first = prove(process, f"{SLOW} intros n. fail.")
    second = prove(process, f"{SLOW} intros m. fail.")
    assert second.cpu_s > 0.5 * first.cpu_s > 0
    exceeded = prove(process, f"{SLOW} intros k. fail.", cpu_s=first.cpu_s / 4)
    assert exceeded.verdict is Verdict.TIME_LIMIT


def test_each_sentence_has_a_limit_where_one_is_set(process: WarmProcess) -> None:
    steps = "do 3000000 idtac. "
    assert prove(process, steps + "auto.", cpu_s=60.0, tactic_cpu_s=0.01).verdict is Verdict.TIME_LIMIT
    assert not process.usable


def test_a_long_proof_that_prints_nothing_does_not_exceed_the_limit_on_output(
    process: WarmProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "MAX_OUTPUT_BYTES", 100_000)
    made = prove(process, "idtac. " * 500 + "auto.")
    assert made.verdict is Verdict.CORRECT, made


def test_a_long_proof_whose_first_sentence_fails_is_an_error(process: WarmProcess) -> None:
    made = prove(process, "f. " * 100_000)
    assert made.verdict is Verdict.ERROR
    assert "f" in made.detail


def test_what_a_shared_beginning_prints_counts_for_each_proof(process: WarmProcess) -> None:
    half = 'do 50000 idtac "a message of some length". '
    assert prove(process, half + "fail.").verdict is Verdict.ERROR
    assert prove(process, half + half + "auto.").verdict is Verdict.OUTPUT_LIMIT


def test_verdicts_are_those_of_a_process_that_keeps_nothing(rocq: Installation, process: WarmProcess) -> None:
    plain = WarmProcess(rocq, 600)
    placed = []
    for case in CASES[::3]:
        try:
            placed.append(place(case.text, case.theorem))
        except UnplaceableError:
            continue
    try:
        for proof in sorted(placed, key=lambda each: (each.header, each.statement, each.proof)):
            plain.forget()
            assert process.prove(proof, 5.0)[:2] == plain.prove(proof, 5.0)[:2], proof
    finally:
        plain.close()
