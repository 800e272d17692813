"""The grader of proofs with the real Lean; where its library for tests is not installed, this test is skipped."""

from pathlib import Path

from tasks.graders.proof import ProofGrader
from tasks.provers.lean import LeanProver
from tasks.records import Problem, Sample, TheoremCheck, Verdict
from tests.provers.conftest import lean_program, lean_project  # noqa: F401 - fixtures

STATEMENT = "theorem pair (p q : Prop) (hp : p) (hq : q) : And p q := by"
PROBLEM = Problem("pair", "", TheoremCheck("lean", "prelude\nimport MiniTactics", "pair", STATEMENT))
SAMPLES = (
    ("exact And.intro hp hq", Verdict.CORRECT),
    ("Here it is:\n```lean4\n" + STATEMENT.replace("pair", "goal") + "\n  exact And.intro hp hq\n```", Verdict.CORRECT),
    ("<think>sorry</think>constructor\nassumption\nassumption", Verdict.CORRECT),
    ("exact And.intro hq hp", Verdict.ERROR),
    ("exact oracle _", Verdict.WRONG),
    ("exact sorry", Verdict.NO_ANSWER),
    ("exact And.intro hp hq\n\naxiom cheat : False", Verdict.NO_ANSWER),
    ("", Verdict.NO_ANSWER),
)


def test_each_sample_has_the_verdict_of_its_proof(lean_program: str, lean_project: str) -> None:  # noqa: F811
    grader = ProofGrader(prover=LeanProver(program=lean_program, project=Path(lean_project), workers=1))
    grader.check([PROBLEM])
    pairs = [(PROBLEM, Sample(PROBLEM.id, index, text)) for index, (text, _) in enumerate(SAMPLES)]
    graded = sorted(grader.grade(pairs, None), key=lambda each: each.index)
    assert [each.verdict for each in graded] == [verdict for _, verdict in SAMPLES]
    assert graded[4].detail == "it rests on oracle"
    assert graded[5].detail == "`sorry` leaves a goal unproved"
