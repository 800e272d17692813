import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monkeys.testing import check_prover
from tasks.errors import UserError
from tasks.provers import UNCONFIRMED, Attempt, ProverFailedError, TheoremFaultError, attempt
from tasks.provers.lean_repl.installation import installation
from tasks.provers.lean_repl.session import ReplSession
from tasks.provers.lean_repl.texts import FAULTS
from tasks.provers.repl import ReplProver
from tasks.records import TheoremCheck, Verdict

LIMIT_MB = 512


@contextlib.contextmanager
def running(prover: ReplProver) -> Iterator[ReplSession]:
    session = prover.session()
    try:
        yield session
    finally:
        session.close()


def proved(prover: ReplProver, session: ReplSession, body: str) -> Attempt:
    return attempt(session, prover.place(body, prover.probe.theorem))


@pytest.fixture
def prover(on_path: Path) -> ReplProver:
    return ReplProver(workers=1, memory_limit_mb=LIMIT_MB, time_limit_s=2)


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
        ("forges", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("forges <;> wrong", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("forges_two <;> wrong", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("forges_error", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("not_json", Verdict.ERROR, "it makes the REPL write what is not its reply"),
        ("refused_by_repl", Verdict.ERROR, "the REPL refuses it: deep recursion was detected"),
        ("prints_later", Verdict.WRONG, "not confirmed: "),
        ("crashes", Verdict.ERROR, "Lean crashes on it"),
        ("exits", Verdict.ERROR, "it ends the REPL (exit status 0)"),
        ("cut_off", Verdict.ERROR, "it ends the REPL (exit status 0)"),
        ("floods", Verdict.OUTPUT_LIMIT, "more than 16,777,216 bytes of messages"),
        ("spins", Verdict.TIME_LIMIT, "more than 2 s of CPU time"),
        ("hoards", Verdict.MEMORY_LIMIT, "out of memory"),
    ],
)
def test_what_a_proof_does_decides_its_verdict(prover: ReplProver, body: str, verdict: Verdict, detail: str):
    with running(prover) as session:
        made = proved(prover, session, body)
        assert made.verdict is verdict, made
        assert made.detail == detail or (detail.endswith(": ") and made.detail.startswith(detail))
        after = proved(prover, session, "simp")
        assert after.verdict is Verdict.CORRECT, after
        assert proved(prover, session, "wrong").verdict is Verdict.ERROR


@pytest.mark.parametrize("trick", ["forges", "forges_two", "forges_error", "forges_fault", "prints_later"])
def test_a_forged_reply_is_never_taken_for_that_of_the_next_proof(prover: ReplProver, trick: str):
    with running(prover) as session:
        theorem = prover.probe.theorem
        for body, accepted in (("simp", True), ("wrong", False)) * 2:
            session.propose(prover.place(f"{trick} <;> wrong", theorem), None)
            assert (session.propose(prover.place(body, theorem), None).verdict is Verdict.CORRECT) == accepted


def test_sorry_is_an_error_where_a_sample_can_write_it(prover: ReplProver):
    with running(prover) as session:
        placed = prover.place("simp", prover.probe.theorem)
        for text in ("  { sorry }", "  { hidden sorry }"):
            made = attempt(session, type(placed)(placed.header, placed.name, placed.statement, (text,)))
            assert (made.verdict, made.detail) == (Verdict.ERROR, "it uses sorry")


def test_the_proof_never_runs_where_its_axioms_are_listed(prover: ReplProver):
    """With `replay: false` one process does both, and could be deceived; with it, the second gets only a file."""
    one = prover.model_copy(update={"replay": False})
    for each in (prover, one):
        with running(each) as session:
            assert proved(each, session, "simp").verdict is Verdict.CORRECT
            assert proved(each, session, "axiom_cheat").verdict is Verdict.WRONG
            assert proved(each, session, "other_type").verdict is Verdict.WRONG
            assert proved(each, session, "forges").verdict is Verdict.ERROR


def test_without_confirmation_a_correct_proof_is_marked(prover: ReplProver):
    unconfirmed = prover.model_copy(update={"confirm": False})
    assert dict(unconfirmed.ingredients()) == {"lean": "4.15.0", FAULTS: True, UNCONFIRMED: True}
    assert dict(prover.ingredients()) == {"lean": "4.15.0", FAULTS: True}
    with running(unconfirmed) as session:
        assert proved(unconfirmed, session, "axiom_cheat").detail == UNCONFIRMED


def test_no_axiom_is_allowed_where_none_is(prover: ReplProver):
    strict = prover.model_copy(update={"axioms": "none"})
    with running(strict) as session:
        made = proved(strict, session, "classical")
        assert made.detail == "not confirmed: it rests on Classical.choice, Quot.sound, propext"


@pytest.mark.parametrize(
    ("header", "statement", "why"),
    [
        ("import Absent", "theorem t : True := by", "unknown module prefix 'Absent'"),
        ("", "theorem t : unknown_constant := by", "Unknown identifier `unknown_constant`"),
    ],
)
def test_a_theorem_that_does_not_load_is_infrastructure(prover: ReplProver, header: str, statement: str, why: str):
    theorem = TheoremCheck("lean", header, "t", statement)
    with running(prover) as session:
        with pytest.raises(TheoremFaultError, match=why):
            session.load(theorem)
        made = attempt(session, prover.place("wrong", theorem))
        assert (made.verdict, made.detail) == (Verdict.INFRASTRUCTURE, f"the theorem does not load: {why}")
        session.load(prover.probe.theorem)


def test_proofs_of_theorems_with_different_headers_share_processes(prover: ReplProver):
    with running(prover) as session:
        for number in range(6):
            theorem = TheoremCheck("lean", f"open Nat{number % 2}", "t", "theorem t : True := by")
            assert attempt(session, prover.place("simp", theorem)).verdict is Verdict.CORRECT


def test_a_process_is_replaced_after_its_proofs(prover: ReplProver):
    few = prover.model_copy(update={"proofs_per_process": 3})
    with running(few) as session:
        for _ in range(10):
            assert proved(few, session, "wrong").verdict is Verdict.ERROR
            assert all(process.proofs < 3 for process in session._pool.idle)


def test_several_workers_give_each_proof_its_own_verdict(on_path: Path):
    prover = ReplProver(workers=3, memory_limit_mb=LIMIT_MB, confirm=False)
    wrong: list[str] = []
    with running(prover) as session:

        def run(worker: int) -> None:
            for number in range(20):
                expected = (worker + number) % 2 == 0
                made = proved(prover, session, "simp" if expected else f"wrong{number}")
                if (made.verdict is Verdict.CORRECT) != expected:
                    wrong.append(str(made))

        threads = [threading.Thread(target=run, args=(worker,)) for worker in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_repl_that_does_not_start_gives_no_verdict(prover: ReplProver, on_path: Path, tmp_path: Path):
    found = installation("repl", None)
    broken = found._replace(command=("/usr/bin/env", "/nonexistent/repl"))
    session = ReplSession(broken, workers=1, limit_s=2, memory_mb=LIMIT_MB, proofs_per_process=10, confirmation=None)
    with contextlib.closing(session), pytest.raises(ProverFailedError):
        session.propose(prover.place("simp", prover.probe.theorem), None)


def test_what_is_absent_is_said_in_one_line(on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match=r"prover\.repl: there is no program 'absent': build it"):
        ReplProver(repl="absent").check()
    with pytest.raises(UserError, match=r"prover\.project: there is no folder"):
        ReplProver(project=tmp_path / "absent").check()
    with pytest.raises(UserError, match="is not built: it has neither a lakefile nor compiled files"):
        ReplProver(project=tmp_path).check()
    only_repl = tmp_path / "bin"
    only_repl.mkdir()
    (only_repl / "repl").symlink_to(on_path / "repl")
    monkeypatch.setenv("PATH", str(only_repl))
    installation.cache_clear()
    with pytest.raises(UserError, match="needs `lean`, which is not on the search path"):
        ReplProver().check()


def test_a_repl_of_another_version_than_the_project_is_refused(on_path: Path, tmp_path: Path):
    ReplProver().check()
    other = tmp_path / "lean"
    other.write_text(
        f'#!/bin/sh\ncase "$1" in --print-prefix) echo {on_path};; *) echo "Lean (version 4.9.0, x)";; esac\n'
    )
    other.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        installation.cache_clear()
        with pytest.raises(UserError, match=r"built with Lean 4\.15\.0, and the project has 4\.9\.0: build it"):
            ReplProver().check()
    installation.cache_clear()


def test_the_libraries_of_a_project_and_its_packages_are_found(on_path: Path, tmp_path: Path):
    for folder in (".lake/build/lib/lean", ".lake/packages/batteries/.lake/build/lib", ".lake/packages/empty"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Module.olean").touch()
    (tmp_path / "lakefile.toml").touch()
    found = installation("repl", tmp_path)
    libraries = f"{tmp_path}/.lake/build/lib/lean:{tmp_path}/.lake/packages/batteries/.lake/build/lib"
    assert f"LEAN_PATH={libraries}" in found.command
    assert set(libraries.split(":")) < set(found.shown)
    assert found.lean == "4.15.0"


def test_the_repl_and_lean_find_the_libraries_of_a_project_alike(on_path: Path, tmp_path: Path):
    """Of a folder that is not a Lake project its own files, of a Lake project what was built, by the same version."""
    plain, lake = tmp_path / "plain", tmp_path / "lake"
    for project in (plain, lake):
        project.mkdir()
    (plain / "Module.olean").touch()
    assert f"LEAN_PATH={plain}" in installation("repl", plain).command
    (lake / "lakefile.toml").touch()
    (lake / ".lake/build/lib/lean").mkdir(parents=True)
    with pytest.raises(UserError, match="is not built: run `lake exe cache get`"):
        installation("repl", lake)
    (lake / ".lake/build/lib/lean/Module.olean").touch()
    assert f"LEAN_PATH={lake}/.lake/build/lib/lean" in installation("repl", lake).command
    installation.cache_clear()
    (lake / "lean-toolchain").write_text("leanprover/lean4:v4.9.0")
    with pytest.raises(UserError, match=r"is for Lean 4.9.0, and `lean` here is 4.15.0"):
        installation("repl", lake)


@pytest.mark.parametrize("confirm", [True, False])
@pytest.mark.usefixtures("on_path")
def test_the_repl_keeps_the_promises_of_a_prover(confirm: bool):
    check_prover(ReplProver(workers=2, memory_limit_mb=LIMIT_MB, confirm=confirm))
