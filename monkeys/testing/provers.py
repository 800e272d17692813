"""The contract of provers."""

import time
from concurrent.futures import ThreadPoolExecutor

from monkeys.testing.contract import check_class, require, require_json
from monkeys.testing.graders import HOSTILE, MAX_CPU_S
from tasks.provers import UNCONFIRMED, Attempt, PlacedProof, Prover, ProverSession, UnplaceableError, attempt
from tasks.records import TheoremCheck, Verdict


def check_prover(prover: Prover) -> None:
    """Check that a prover accepts the right proof of its probe and refuses the wrong one, concurrently and after it was
    closed, that it marks verdicts that it does not confirm, and that it copes with hostile text.

    Raises:
        ContractError: a promise is broken; the message says which.
        UserError: the prover cannot run here.
    """
    check_class("prover", prover)
    prover.check()
    prover.check_theorem(prover.probe.theorem)
    try:
        prover.check_theorem(TheoremCheck("no such system", "", "t", prover.probe.theorem.statement))
    except UnplaceableError:
        pass
    else:
        require(False, "check_theorem accepts a theorem of another system")
    require_json(dict(prover.ingredients()), "ingredients")
    require(len(prover.description().splitlines()) == 1, "description is not one line")
    right, wrong = (_placed(prover, text) for text in (prover.probe.right, prover.probe.wrong))
    require(right == _placed(prover, prover.probe.right), "place gives two proofs for one text")
    require(right != wrong, "place gives the same proof for the right and the wrong text")
    _check_hostile(prover)
    session = prover.session()
    require(session.workers >= 1, f"workers is {session.workers}")
    session.load(prover.probe.theorem)
    _check_marked(prover, session, right)
    _check_attempts(session, right, wrong)
    session.close()
    _check_attempts(session, right, wrong)
    session.close()


def _placed(prover: Prover, text: str) -> PlacedProof:
    return prover.place(text, prover.probe.theorem)


def _check_marked(prover: Prover, session: ProverSession, right: PlacedProof) -> None:
    marked = UNCONFIRMED in prover.ingredients()
    confirms = session.confirm(right, None) is not None
    said = "a verdict" if confirms else "None"
    require(confirms is not marked, f"confirm returns {said}, but ingredients say the contrary of {UNCONFIRMED!r}")


def _check_attempts(session: ProverSession, right: PlacedProof, wrong: PlacedProof) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda proof: attempt(session, proof), [right, wrong] * 4))
    for position, each in enumerate(made):
        require(isinstance(each, Attempt), f"a proof gives {type(each).__name__}, not an Attempt")
        if position % 2 == 0:
            require(each.verdict is Verdict.CORRECT, f"the right proof is {each.verdict} ({each.detail})")
        else:
            known = each.verdict not in {Verdict.CORRECT, Verdict.INFRASTRUCTURE}
            require(known, f"the wrong proof is {each.verdict} ({each.detail})")


def _check_hostile(prover: Prover) -> None:
    for text in HOSTILE:
        started = time.process_time()
        try:
            _placed(prover, text)
        except UnplaceableError as error:
            require(bool(str(error).strip()), f"UnplaceableError on {text[:100]!r} does not say why")
        except Exception as error:
            require(False, f"{type(error).__name__} on the sample {text[:100]!r}: {error}")
            raise
        took = time.process_time() - started
        require(took < MAX_CPU_S, f"placing the sample {text[:100]!r} takes {took:.0f} s of this process's CPU time")
