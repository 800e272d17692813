"""The grader of proofs, with the real Rocq; without one, these tests are skipped."""

import pytest

from tasks.errors import UserError
from tasks.graders.proof import ProofGrader
from tasks.provers import Attempt, PlacedProof, TheoremFaultError
from tasks.provers.coq.installation import installation
from tasks.provers.coq.session import RocqSession
from tasks.provers.loading import faults
from tasks.provers.rocq import RocqProver
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, TheoremCheck, Verdict
from tests.provers.conftest import rocq  # noqa: F401 - a fixture

PROBLEM = Problem("sum", "", TheoremCheck("rocq", "Require Import Lia.", "sum", "Theorem sum : 1 + 1 = 2."))
OTHER = Problem("or", "", TheoremCheck("rocq", "", "or", "Lemma or : forall p q : Prop, p -> p \\/ q."))


def grade(texts: list[tuple[Problem, str]]) -> list[GradedSample]:
    pairs = [(problem, Sample(problem.id, index, text)) for index, (problem, text) in enumerate(texts)]
    grader = ProofGrader(prover=RocqProver(workers=2))
    grader.check([PROBLEM, OTHER])
    return sorted(grader.grade(pairs, None), key=lambda each: each.index)


@pytest.mark.usefixtures("rocq")
def test_each_sample_has_the_verdict_of_its_proof() -> None:
    graded = grade(
        [
            (PROBLEM, "reflexivity. Qed."),
            (OTHER, "intros p q h. left. exact h."),
            (PROBLEM, "<think>Admitted.</think>lia."),
            (OTHER, "intros p q h. right. exact h."),
            (PROBLEM, "Admitted."),
            (PROBLEM, "reflexivity. Qed. Theorem sum2 : False."),
        ]
    )
    assert [each.verdict for each in graded] == [
        *(Verdict.CORRECT, Verdict.CORRECT, Verdict.CORRECT, Verdict.ERROR, Verdict.NO_ANSWER, Verdict.NO_ANSWER),
    ]
    assert "Unable to unify" in graded[3].detail or "h" in graded[3].detail
    assert graded[4].detail == "`Admitted` does not end a proof"


@pytest.mark.usefixtures("rocq")
def test_equal_proofs_of_a_theorem_are_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[PlacedProof] = []
    propose = RocqSession.propose

    def counted(self: RocqSession, proof: PlacedProof, limit_s: float | None = None):
        asked.append(proof)
        return propose(self, proof, limit_s)

    monkeypatch.setattr(RocqSession, "propose", counted)
    graded = grade([(PROBLEM, "lia."), (PROBLEM, "Proof. (* again *) lia. Qed."), (PROBLEM, "lia."), (OTHER, "lia.")])
    assert [each.verdict for each in graded] == [Verdict.CORRECT] * 3 + [Verdict.ERROR]
    assert len(asked) == 2
    assert sum(each.cpu_s > 0 for each in graded) == 2


def test_a_problem_without_a_theorem_for_this_prover_is_refused_in_one_line() -> None:
    lean = Problem("l", "", TheoremCheck("lean", "", "t", "theorem t : True := by"))
    with pytest.raises(UserError, match="problem 'l': its statement is for lean, not for rocq"):
        ProofGrader().check([lean])
    with pytest.raises(UserError, match="it has no theorem"):
        ProofGrader().check([Problem("a", "", AnswerCheck("1"))])


@pytest.mark.usefixtures("rocq")
def test_a_theorem_that_does_not_load_is_named_before_any_work(caplog: pytest.LogCaptureFixture) -> None:
    absent = Problem("c", "", TheoremCheck("rocq", "", "c", "Theorem c : absent."))
    ProofGrader(prover=RocqProver(workers=2)).check([PROBLEM, absent, OTHER])
    (record,) = caplog.records
    said = record.getMessage()
    assert said.startswith("grader: 1 of 3 theorems cannot be graded, because they do not load in rocq 8.")
    assert said.endswith(": c (`Theorem c : absent.`: The reference absent was not found in the current environment.)")
    caplog.clear()
    ProofGrader(prover=RocqProver(workers=2)).check([PROBLEM, OTHER])
    assert not caplog.records


def test_of_a_theorem_that_does_not_load_only_a_few_proofs_are_tried() -> None:
    tried: list[str] = []

    class Session(RocqSession):
        def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
            tried.append(proof.statement)
            raise TheoremFaultError("no")

        def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
            raise AssertionError

    class Prover(RocqProver):
        def session(self) -> RocqSession:
            return Session(workers=1, cpu_s=1.0, memory_mb=300, proofs_per_process=1)

    samples = [(PROBLEM, Sample(PROBLEM.id, index, f"do {index + 1} idtac. reflexivity.")) for index in range(50)]
    graded = list(ProofGrader(prover=Prover()).grade(samples, None))
    assert len(tried) == 3
    assert {each.verdict for each in graded} == {Verdict.INFRASTRUCTURE}
    assert {each.detail for each in graded} == {"the theorem does not load: no"}
    assert len(graded) == 50


def test_theorems_are_not_tried_beyond_the_time_for_it() -> None:
    class Session(RocqSession):
        def load(self, theorem: TheoremCheck) -> None:
            raise TheoremFaultError("no")

    session = Session(workers=1, cpu_s=1.0, memory_mb=300, proofs_per_process=1)
    theorems = {"a": TheoremCheck("rocq", "", "a", "")}
    assert faults(session, theorems) == {"a": "no"}
    assert faults(session, theorems, max_s=0.0) == {}


def test_a_machine_without_rocq_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    installation.cache_clear()
    with pytest.raises(UserError, match="make provers"):
        ProofGrader().check([PROBLEM])
    installation.cache_clear()
