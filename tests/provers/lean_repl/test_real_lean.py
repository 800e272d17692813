"""What is sent to a REPL is a text that the real Lean understands as it is meant, and answers as it is read."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.provers.lean4.axioms import AXIOMS
from tasks.provers.lean_repl.replies import Reply, outcome, read_reply
from tasks.provers.lean_repl.texts import confirmation_text, confirmed, new_mark, unproved_text
from tasks.records import Verdict

# What `#check` of an unknown name needs of Lean's library, which this Lean does not have.
ABSENT = ("Unknown constant `Unit`", "Unknown constant `Function.const`")
HEADER = "prelude\nimport MiniTactics\nuniverse u"


@pytest.fixture
def answered(lean_program: str, lean_project: str, tmp_path: Path) -> Callable[[str], Reply]:
    """Gives Lean's messages on a text, in the form of the REPL."""

    def answer(text: str) -> Reply:
        return _answer(text, lean_program, lean_project, tmp_path / "Text.lean")

    return answer


def _answer(text: str, program: str, project: str, file: Path) -> Reply:
    file.write_text(f"{HEADER}\n{text}\n", encoding="utf-8")
    command = [program, "--json", str(file)]
    environment = {**os.environ, "LEAN_PATH": project}
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    messages = [json.loads(line) for line in run.stdout.splitlines()]
    messages = [each for each in messages if each["data"] not in ABSENT]
    kept = [{key: each[key] for key in ("severity", "pos", "data")} for each in messages]
    for each in kept:
        each["severity"] = {"information": "info"}.get(each["severity"], each["severity"])
    return read_reply({"messages": kept, "env": 1})


@pytest.mark.parametrize(
    ("statement", "name", "proof", "why"),
    [
        ("theorem t : Eq (α := Nat) 1 1 := by", "t", "  { exact Eq.refl 1 }", ""),
        ("theorem t {α : Sort u} (p : α → Prop) (x : α) (h : p x) : p x := by", "t", "  { exact h }", ""),
        ("theorem t.{v} {α : Sort v} ⦃x : α⦄ : Eq x x := by", "t", "  { exact Eq.refl x }", ""),
        ("theorem a.b (p : Prop) (h : p) : p := by", "a.b", "  { exact h }", ""),
        ("theorem t (p : Prop) : p := by", "t", "  { exact cheat p }", "not confirmed: it rests on cheat"),
    ],
)
def test_the_real_lean_confirms_exactly_what_was_proved(
    statement: str, name: str, proof: str, why: str, answered: Callable[[str], Reply]
):
    before = "axiom cheat (p : Prop) : p\n"
    mark = new_mark()
    text = f"{before}{statement}\n{proof}\n\n{confirmation_text(statement, name, mark)}{mark.line}"
    reply = mark.removed(answered(text))
    assert reply is not None
    made = confirmed(reply, mark, AXIOMS["standard"])
    assert (made.verdict is Verdict.CORRECT) == (why == ""), made
    assert made.detail == why


def test_the_real_lean_refuses_a_theorem_that_claims_something_else(
    answered: Callable[[str], Reply],
):
    mark = new_mark()
    asked = "theorem t (p q : Prop) (h : p) : q := by"
    text = "theorem t (p q : Prop) (h : p) : p := by\n  { exact h }\n\n"
    reply = mark.removed(answered(text + confirmation_text(asked, "t", mark) + mark.line))
    assert reply is not None
    assert confirmed(reply, mark, AXIOMS["standard"]).detail.startswith("not confirmed: Type mismatch")


@pytest.mark.parametrize(
    "body",
    ["  { exact Eq.refl 2 }", "  { exact ( }", "  { exact", "  exact Eq.", '  exact "', "  { skip }", "", "  fun"],
)
def test_the_mark_is_in_every_reply_of_the_real_lean_and_an_error_is_an_error(
    body: str, answered: Callable[[str], Reply]
):
    mark = new_mark()
    text = f"theorem t : Eq (α := Nat) 1 1 := by\n{body}{mark.line}"
    reply = mark.removed(answered(text))
    assert reply is not None
    assert outcome(reply)[0] is Verdict.ERROR


def test_a_comment_that_does_not_end_leaves_the_reply_without_a_mark(
    answered: Callable[[str], Reply],
):
    mark = new_mark()
    text = f"theorem t : Eq (α := Nat) 1 1 := by\n  {{ exact Eq.refl 1 }} /- {mark.line}"
    assert mark.removed(answered(text)) is None


def test_a_statement_loads_without_an_error_where_sorry_stands_for_its_proof():
    assert unproved_text("theorem t : p := by") == "theorem t : p := by\n  sorry"
