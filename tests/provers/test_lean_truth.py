"""Both tiers of Lean, each on its own, on proofs that are known to be right and to be wrong."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tasks.provers import Attempt, ProverSession, UnplaceableError
from tasks.provers.lean4.axioms import AXIOMS
from tasks.provers.lean4.confirmation import Rules, confirm
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import place
from tasks.provers.lean4.session import LeanSession
from tasks.records import Verdict
from tests.provers.lean_truth import CASES, Case

PARTS = 20
RULES = Rules(1024, AXIOMS["standard"])
REFUSED = {Verdict.ERROR, Verdict.WRONG, Verdict.NO_ANSWER}
# A right proof, and of the wrong ones a statement that is false, a step that is missing, and an axiom.
QUICK = [
    next(case for case in CASES if case.right),
    next(case for case in CASES if not case.right and "Nat.le" in case.text),
    next(case for case in CASES if not case.right),
    next(case for case in CASES if "oracle" in case.text),
]


@pytest.fixture(scope="module")
def session(lean: Installation) -> Iterator[ProverSession]:
    opened = LeanSession(lean, workers=1, cpu_s=10.0, proofs_per_process=1000, rules=RULES, confirms=False)
    yield opened
    opened.close()


def check(case: Case, made: Attempt | None) -> None:
    verdict = Verdict.NO_ANSWER if made is None else made.verdict
    assert verdict in ({Verdict.CORRECT} if case.right else REFUSED), (case, made)


def check_second_tier(case: Case, lean: Installation) -> None:
    try:
        proof = place(case.text, case.theorem)
    except UnplaceableError:
        check(case, None)
        return
    check(case, confirm(proof, lean, 10.0, RULES))


def test_there_are_as_many_as_the_docs_say() -> None:
    count = Counter(case.right for case in CASES)
    assert count[True] >= 200
    assert count[False] >= 200


def test_the_warm_process_accepts_the_right_proofs_and_no_wrong_one(session: ProverSession) -> None:
    for case in CASES:
        try:
            proof = place(case.text, case.theorem)
        except UnplaceableError:
            check(case, None)
            continue
        check(case, session.propose(proof, None))


@pytest.mark.parametrize("case", QUICK, ids=["right", "false", "missing_step", "axiom"])
def test_fresh_processes_agree_on_a_right_proof_and_some_wrong_ones(case: Case, lean: Installation) -> None:
    check_second_tier(case, lean)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_fresh_processes_agree_with_the_warm_one(part: int, lean: Installation) -> None:
    for case in CASES[part::PARTS]:
        check_second_tier(case, lean)
