"""Both tiers, each on its own, on proofs that are known to be right and to be wrong."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tasks.provers import UnplaceableError
from tasks.provers.coq.confirmation import AXIOMS, Rules, confirm
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.session import RocqSession
from tasks.provers.vernacular.placing import place
from tasks.records import Verdict
from tests.provers.truth import CASES, Case

PARTS = 20


@pytest.fixture(scope="module")
def session(rocq: Installation) -> Iterator[RocqSession]:
    opened = RocqSession(workers=1, cpu_s=10.0, memory_mb=600, proofs_per_process=1000)
    yield opened
    opened.close()


def test_there_are_as_many_as_the_docs_say() -> None:
    count = Counter(case.right for case in CASES)
    assert count[True] >= 200
    assert count[False] >= 200


def test_the_warm_process_accepts_the_right_proofs_and_no_wrong_one(session: RocqSession) -> None:
    for case in CASES:
        try:
            verdict = session.propose(place(case.text, case.theorem)).verdict
        except UnplaceableError:
            verdict = Verdict.NO_ANSWER
        wanted = {Verdict.CORRECT} if case.right else {Verdict.ERROR, Verdict.NO_ANSWER}
        assert verdict in wanted, (case, verdict)


def _confirmed(case: Case, rocq: Installation) -> Verdict:
    try:
        return confirm(place(case.text, case.theorem), rocq, 10.0, Rules(600, AXIOMS["none"])).verdict
    except UnplaceableError:
        return Verdict.NO_ANSWER


def _check(cases: list[Case], rocq: Installation) -> None:
    for case in cases:
        wanted = {Verdict.CORRECT} if case.right else {Verdict.ERROR, Verdict.NO_ANSWER}
        assert _confirmed(case, rocq) in wanted, case


def test_fresh_processes_confirm_some_right_proofs_and_no_wrong_one(rocq: Installation) -> None:
    _check([*CASES[:12:6], *CASES[-4:]], rocq)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_fresh_processes_agree_with_the_warm_one(part: int, rocq: Installation) -> None:
    _check(CASES[part::PARTS], rocq)
