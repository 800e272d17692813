import contextlib
import threading
from collections.abc import Iterator, Sequence

import pytest

from monkeys.testing import check_prover
from tasks.errors import UserError
from tasks.progress import NullProgress, progress
from tasks.provers import UNCONFIRMED, Attempt, TheoremFaultError, attempt
from tasks.provers.kimina import KiminaProver
from tasks.provers.kimina_server import pool
from tasks.provers.kimina_server.client import ServerFailedError, read_result
from tasks.provers.kimina_server.session import KiminaSession
from tasks.provers.lean_repl.replies import outcome
from tasks.provers.lean_repl.texts import FAULTS
from tasks.records import TheoremCheck, Verdict
from tests.provers.kimina_server.toy_server import ToyServer, toy_server
from tests.provers.lean_repl.recorded import needs_recordings, rows
from tests.servers import free_port


@pytest.fixture(params=[False, True], ids=["api_check", "verify"])
def server(request: pytest.FixtureRequest) -> Iterator[ToyServer]:
    with toy_server(old=request.param) as running:
        yield running


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(pool, "_LONGEST_PAUSE_S", 0.05)


@contextlib.contextmanager
def running(prover: KiminaProver) -> Iterator[KiminaSession]:
    session = prover.session()
    try:
        yield session
    finally:
        session.close()


def proved(prover: KiminaProver, body: str) -> Attempt:
    with running(prover) as session:
        return attempt(session, prover.place(body, prover.probe.theorem))


@pytest.mark.parametrize(
    ("body", "verdict", "detail"),
    [
        ("simp", Verdict.CORRECT, ""),
        ("exact classical", Verdict.CORRECT, ""),
        ("wrong", Verdict.ERROR, "unsolved goals ⊢ False"),
        ("prints", Verdict.CORRECT, ""),
        ("prints <;> wrong", Verdict.ERROR, "unsolved goals ⊢ False"),
        ("axiom_cheat", Verdict.WRONG, "not confirmed: it rests on cheat"),
        ("other_type", Verdict.WRONG, "not confirmed: Type mismatch @monkeys_probe"),
        ("times_out", Verdict.TIME_LIMIT, "more than 60 s"),
        ("header_slow", Verdict.INFRASTRUCTURE, "Lean REPL header command timed out in 60 seconds"),
        ("hoards", Verdict.MEMORY_LIMIT, "out of memory"),
        ("hoards_warm", Verdict.CORRECT, ""),
        ("overflows", Verdict.ERROR, "Lean crashes on it: Stack overflow detected. Aborting."),
        ("strange", Verdict.INFRASTRUCTURE, "something that nobody has seen"),
        ("refused_by_repl", Verdict.ERROR, "the REPL refuses it: deep recursion was detected"),
        ("unknown_env", Verdict.INFRASTRUCTURE, "Unknown environment."),
        ("stale", Verdict.CORRECT, ""),
        ("stale <;> wrong", Verdict.ERROR, "unsolved goals ⊢ False"),
        ("stale_always <;> wrong", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("floods", Verdict.OUTPUT_LIMIT, "more than 16,777,216 bytes of messages"),
    ],
)
def test_what_the_server_says_decides_the_verdict(server: ToyServer, body: str, verdict: Verdict, detail: str):
    made = proved(KiminaProver(base_urls=(server.url,)), body)
    assert (made.verdict, made.detail.removeprefix("the Kimina server: ")) == (verdict, detail)


@pytest.mark.parametrize(
    "fault", ["429", "500", "502", "503", "504", "cut", "not_json", "wrong_id", "no_result", "two_results", "close"]
)
@pytest.mark.parametrize(("body", "verdict"), [("simp", Verdict.CORRECT), ("wrong", Verdict.ERROR)])
@pytest.mark.usefixtures("short_pauses")
def test_a_server_that_fails_for_a_while_changes_no_verdict(server: ToyServer, fault: str, body: str, verdict: Verdict):
    prover = KiminaProver(base_urls=(server.url,), patience_s=30)
    server.faults.extend([fault, "", fault, fault, "", fault])
    assert proved(prover, body).verdict is verdict


@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "cut", "not_json", "wrong_id", "no_result", "close", "401", "422"]
)
@pytest.mark.usefixtures("short_pauses")
def test_a_server_that_keeps_failing_is_infrastructure(server: ToyServer, fault: str):
    prover = KiminaProver(base_urls=(server.url,), patience_s=0.2)
    server.faults.extend([fault] * 10_000)
    for body in ("simp", "wrong"):
        made = proved(prover, body)
        assert made.verdict is Verdict.INFRASTRUCTURE, made
        assert "\n" not in made.detail


def test_every_accepted_proof_is_confirmed_in_a_new_repl(server: ToyServer):
    with running(KiminaProver(base_urls=(server.url,))) as session:
        proof = KiminaProver(base_urls=(server.url,)).place("simp", KiminaProver(base_urls=(server.url,)).probe.theorem)
        session.propose(proof, None)
        asked = len(server.requests)
        assert session.confirm(proof, None) == Attempt(Verdict.CORRECT, wall_s=0.5)
    fresh = [each.get("disable_cache", not each.get("reuse", True)) for each in server.requests]
    assert fresh == [False] * asked + [True]


def test_without_confirmation_a_correct_proof_is_marked(server: ToyServer):
    prover = KiminaProver(base_urls=(server.url,), confirm=False)
    assert proved(prover, "axiom_cheat").detail == UNCONFIRMED
    assert dict(prover.ingredients()) == {"lean": "4.15.0", FAULTS: True, UNCONFIRMED: True}


def test_a_theorem_that_does_not_load_is_infrastructure(server: ToyServer):
    prover = KiminaProver(base_urls=(server.url,))
    theorem = TheoremCheck("lean", "import Absent", "t", "theorem t : True := by")
    with running(prover) as session:
        with pytest.raises(TheoremFaultError, match="unknown module prefix"):
            session.load(theorem)
        made = attempt(session, prover.place("wrong", theorem))
        assert made.verdict is Verdict.INFRASTRUCTURE


class Lines(NullProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def proved_by_threads(prover: KiminaProver, session: KiminaSession, bodies: Sequence[str]) -> list[Verdict]:
    found: dict[int, Verdict] = {}

    def run(number: int) -> None:
        found[number] = attempt(session, prover.place(bodies[number], prover.probe.theorem)).verdict

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(len(bodies))]


@pytest.mark.usefixtures("short_pauses")
def test_a_server_that_is_away_is_left_out_and_used_again_and_one_line_says_so_each_time():
    lines = Lines()
    token = progress.set(lines)
    try:
        with toy_server() as one, toy_server() as other:
            prover = KiminaProver(base_urls=(one.url, other.url), concurrency=2)
            bodies = ["simp", "wrong"] * 8
            with running(prover) as session:
                one.faults.extend(["503"] * 6)
                verdicts = proved_by_threads(prover, session, bodies)
                assert verdicts == [Verdict.CORRECT, Verdict.ERROR] * 8
                while one.faults:
                    proved_by_threads(prover, session, bodies)
                verdicts = proved_by_threads(prover, session, bodies * 2)
                assert verdicts == [Verdict.CORRECT, Verdict.ERROR] * 16
                assert one.requests
                assert other.requests
    finally:
        progress.reset(token)
    left_out, again = lines.lines
    assert left_out.startswith("prover: kimina leaves out a server that does not answer, and tries it again")
    assert one.url in left_out
    assert again == f"prover: kimina uses {one.url} again"


def test_no_server_gets_more_requests_at_once_than_its_concurrency():
    with toy_server() as one, toy_server() as other:
        one.pause_s = other.pause_s = 0.02
        prover = KiminaProver(base_urls=(one.url, other.url), concurrency=3)
        with running(prover) as session:
            assert session.workers == 6
            proved_by_threads(prover, session, [f"wrong{number}" for number in range(24)])
        assert one.most_running <= 3
        assert other.most_running <= 3
        assert one.requests
        assert other.requests


@pytest.mark.usefixtures("short_pauses")
def test_a_server_with_fewer_repls_than_requests_loses_nothing():
    with toy_server(repls=2) as server:
        server.pause_s = 0.005
        prover = KiminaProver(base_urls=(server.url,), concurrency=8)
        with running(prover) as session:
            bodies = [f"wrong{number}" if number % 2 else f"simp{number}" for number in range(24)]
            verdicts = proved_by_threads(prover, session, bodies)
        assert verdicts == [Verdict.CORRECT, Verdict.ERROR] * 12


def test_the_version_of_lean_is_that_of_the_servers():
    with toy_server(lean="4.33.0") as server, toy_server(lean="4.33.0", old=True) as other:
        prover = KiminaProver(base_urls=(server.url, other.url))
        prover.check()
        assert prover.description() == "Lean 4.33.0, on 2 servers, no independent checker"
        assert dict(prover.ingredients()) == {"lean": "4.33.0"}
    with toy_server(lean="4.9.0") as server:
        prover = KiminaProver(base_urls=(server.url,))
        assert "whose kernel is known to accept false proofs: use 4.32.2 or later" in prover.description()
        assert dict(prover.ingredients()) == {"lean": "4.9.0", FAULTS: True}


def test_servers_with_several_versions_of_lean_are_refused():
    different = pytest.raises(UserError, match=r"the servers have different versions of Lean: 4\.20\.0-rc1")
    with toy_server(lean="4.9.0") as server, toy_server(lean="4.20.0-rc1") as other, different:
        KiminaProver(base_urls=(server.url, other.url)).check()


def test_what_is_wrong_with_a_server_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match=r"prover\.base_urls: no server answers .*; start it, or correct the URL"):
        KiminaProver(base_urls=(f"http://127.0.0.1:{free_port()}",)).check()
    monkeypatch.setenv("KIMINA_KEY", "right")
    monkeypatch.setenv("OTHER_KEY", "wrong")
    with toy_server(key="right") as server:
        KiminaProver(base_urls=(server.url,), api_key_env="KIMINA_KEY").check()
        for variable in (None, "OTHER_KEY"):
            with pytest.raises(
                UserError, match=r"answers 401: .*; name the variable with the key in prover.api_key_env"
            ):
                KiminaProver(base_urls=(server.url,), api_key_env=variable).check()
    with pytest.raises(ValueError, match="must not contain credentials"):
        KiminaProver(base_urls=("http://user:secret@host:8000",))


def test_a_server_that_is_away_at_the_start_is_left_out():
    with toy_server() as server:
        prover = KiminaProver(base_urls=(f"http://127.0.0.1:{free_port()}", server.url), patience_s=5)
        prover.check()
        assert proved(prover, "simp").verdict is Verdict.CORRECT


OWN = [
    ({"custom_id": "1", "error": None, "response": {"time": 1.5}}, Verdict.CORRECT),
    ({"custom_id": "1", "error": None, "response": {"env": 0, "time": 1.5}}, Verdict.CORRECT),
    ({"custom_id": "1", "error": "Lean process timed out", "response": None}, None),
    (
        {"id": "1", "time": 1.5, "response": {"env": 0, "messages": [{"severity": "warning", "data": "x"}]}},
        Verdict.CORRECT,
    ),
    ({"id": "1", "time": 1.5, "response": {"env": 0, "messages": [{"severity": "error", "data": "x"}]}}, Verdict.ERROR),
    ({"id": "1", "time": 1.5, "response": {"env": 0, "sorries": [{"goal": "x"}]}}, Verdict.ERROR),
]


@pytest.mark.parametrize(("result", "verdict"), OWN)
def test_a_result_of_either_interface_is_read(result: dict[str, object], verdict: Verdict | None):
    answer = read_result(result)
    if verdict is None:
        assert answer.reply is None
        assert answer.error == "Lean process timed out"
    else:
        assert answer.reply is not None
        assert outcome(answer.reply)[0] is verdict
        assert answer.seconds == 1.5


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"error": None, "response": None},
        {"error": "x", "response": {}},
        {"error": 1, "response": None},
        {"error": None, "response": "x"},
        {"error": None, "response": {"messages": [{"severity": "fine", "data": ""}]}},
    ],
)
def test_a_result_that_says_nothing_is_refused(result: dict[str, object]):
    with pytest.raises(ServerFailedError):
        read_result(result)


@needs_recordings
def test_the_recorded_answers_of_a_kimina_server_give_98_accepted_proofs_and_4_timeouts():
    accepted = timed_out = 0
    for row in rows("kimina_server_102"):
        answer = read_result(row["result"])
        if answer.reply is None:
            assert "timed out" in answer.error
            timed_out += 1
        else:
            assert outcome(answer.reply) == (Verdict.CORRECT, ""), row["id"]
            accepted += 1
    assert (accepted, timed_out) == (98, 4)


@pytest.mark.parametrize("confirm", [True, False])
def test_kimina_keeps_the_promises_of_a_prover(confirm: bool):
    with toy_server() as server:
        check_prover(KiminaProver(base_urls=(server.url,), confirm=confirm))
