import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.formal import lean
from tasks.provers import UnplaceableError
from tasks.provers.lean import LeanProver
from tasks.provers.lean4.placing import MAX_CHARACTERS, header_and_statement, place
from tasks.provers.lean4.words import COMMANDS, COMPILE_TIME, SCOPES, UNPROVED
from tasks.records import TheoremCheck

SHARED = Path(__file__).parents[3] / "shared/data/minif2f"
KIMINA, STATEMENTS = SHARED / "kimina_7b_proofs_80x24.jsonl.gz", SHARED / "minif2f_lean4_488.jsonl.gz"
THEOREM = TheoremCheck(
    "lean",
    "import Mathlib\n\nopen Real",
    "sum",
    "theorem sum (x : ℝ)\n    (h₀ : x = 1) : -- a comment\n  x + 1 = 2 := by",
)
STATEMENT = "theorem sum (x : ℝ) (h₀ : x = 1) : x + 1 = 2 :="


def body(text: str) -> str:
    (proof,) = place(text, THEOREM).proof
    first, *lines, last = proof.split("\n")
    assert (first, last) == ("  {", "  }")
    assert all(line.startswith("    ") for line in lines)
    return "\n".join(line[4:] for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "subst h₀\nnorm_num",
        "  subst h₀\n  norm_num",
        "\n  subst h₀\n\n  norm_num\n",
        "subst h₀\n  norm_num",
        " subst h₀\n  norm_num",
        "/- First -/\n  subst h₀ -- we substitute\n  norm_num",
        "```lean4\nsubst h₀\nnorm_num\n```",
        f"By substitution:\n```lean\nimport Mathlib\n\n{STATEMENT} by\n  subst h₀\n  norm_num\n```\nDone.",
        f"{STATEMENT} by\n  subst h₀\n  norm_num",
        f"{STATEMENT}\n by subst h₀\n    norm_num",
        f"lemma goal{STATEMENT.removeprefix('theorem sum')} by\n  subst h₀\n  norm_num",
        f"/-- The sum is 2. -/\n{STATEMENT} by\n  subst h₀\n  norm_num",
        "theorem helper : True := by\n  trivial\n\n" + STATEMENT + " by\n  subst h₀\n  norm_num",
        "  subst h₀\n  norm_num\n```",
        "  subst h₀\n  norm_num\n)",
        "  subst h₀\r\n  norm_num\r\n",
    ],
)
def test_what_surrounds_the_tactics_is_left_out(text: str) -> None:
    assert body(text) == "subst h₀\nnorm_num"


def test_the_pieces_are_header_statement_and_tactics_between_braces() -> None:
    proof = place("norm_num [h₀]", THEOREM)
    assert proof.pieces == (
        "import Mathlib\n\nopen Real",
        "theorem sum (x : ℝ)\n    (h₀ : x = 1) :\n  x + 1 = 2 := by",
        "  {\n    norm_num [h₀]\n  }",
    )


def test_a_proof_by_a_term_becomes_a_tactic() -> None:
    assert body(f"{STATEMENT}\n  h₀ ▸ one_add_one") == "exact\n  h₀ ▸ one_add_one"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("have h : x = 1 := by\n    simp\n  exact h", "have h : x = 1 := by\n  simp\nexact h"),
        ("cases h with\n  | inl h => simp\n  | inr h => simp", "cases h with\n  | inl h => simp\n  | inr h => simp"),
        ("constructor\n  · simp\n  · simp", "constructor\n· simp\n· simp"),
        ("exact\n  foo", "exact\n  foo"),
        ("nlinarith [sq_nonneg x,\n  sq_nonneg y]", "nlinarith [sq_nonneg x,\n  sq_nonneg y]"),
        (f"{STATEMENT} by rw [a,\n  b]", "rw [a,\n  b]"),
        (f"{STATEMENT} by exact\nfoo", "exact\n  foo"),
        ("    simp\n      at h\n    simp", "simp\n  at h\nsimp"),
    ],
)
def test_lines_keep_their_place_relative_to_one_another(text: str, wanted: str) -> None:
    assert body(text) == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no proof"),
        ("-- only a comment", "there is no proof"),
        (f"{STATEMENT} by", "there is no proof"),
        ("sorry", "`sorry` leaves a goal unproved"),
        ("exact (by admit)", "`admit` leaves a goal unproved"),
        ("exact sorryAx _", "`sorryAx` leaves a goal unproved"),
        ("native_decide", "`native_decide` runs or trusts compiled code"),
        ("decide +native", "`native` runs or trusts compiled code"),
        ("exact Lean.ofReduceBool _ _ rfl", "`ofReduceBool` runs or trusts"),
        ("simp\n\ntheorem other : True := trivial", "`theorem` states another theorem"),
        (f"{STATEMENT} by simp\n{STATEMENT.replace('2', '3')} by simp", "`theorem` is a command"),
        (f"{STATEMENT.replace('2', '3')} by simp", "`theorem` states another theorem"),
        ("simp\nend Foo", "`end` is a command"),
        ("simp } simp {", "`}` closes what is not open"),
        ("simp )\naxiom x : False", "`axiom` is a command"),
        ("exact (foo", r"`\(` is not closed"),
        ("exact (foo]", "`]` closes what is not open"),
        ("exact ⟨foo) x⟩", r"`\)` closes what is not open"),
        ("set_option maxRecDepth 10000 in simp", "`set_option` changes scopes or options"),
        ("open Nat in simp", "`open` changes scopes or options"),
        ("simp\n@[simp] def x := 1", "an attribute"),
        ("simp\n/-- doc -/", "a documentation comment"),
        ("simp\n#eval 1", "`#eval` is a command"),
        ("simp\n#print axioms sum", "`#print` is a command"),
        ("run_tac Lean.logInfo 1", "`run_tac` runs or trusts"),
        ("exact eval% 1", "`eval%` runs code"),
        ('simp [s!"{1}"]', "a string with an escape, a brace"),
        ("simp\tlinarith", "a tab"),
        ("simp\x00", r"U\+0000"),
        ("simp \ud800", r"U\+D800"),
        ("simp /- open", "a comment does not end"),
        ("x" * (MAX_CHARACTERS + 1), "characters"),
    ],
)
def test_a_text_that_is_not_a_proof_by_tactics_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnplaceableError, match=why):
        place(text, THEOREM)


@pytest.mark.parametrize("word", sorted(COMMANDS | SCOPES | COMPILE_TIME | UNPROVED))
def test_no_word_that_begins_a_command_is_placed(word: str) -> None:
    for before in ("", "simp\n", "· ", "simp;", "⟨", "1", "exact (x).", "(/- c -/"):
        closing = {"⟨": "⟩", "(/- c -/": ")"}.get(before, "")
        with pytest.raises(UnplaceableError):
            place(f"{before}{word} x{closing}", THEOREM)


@pytest.mark.parametrize(
    "text",
    [
        "simp [Set.end, h.open]",
        "exact h.instance'",
        "simp only [#s, sum_end]",
        "have hα' : f '' s = f ⁻¹' t := by simp",
        "simp [IsOpen, Opens, ending, «end»]",
        'fail_if_success simp; trace "a message"',
        "exact foo (· + 1) fun ⟨x, y⟩ => {z | z = x}",
        "simp at h -- sorry, axiom x : False",
        "module",
    ],
)
def test_names_that_contain_such_a_word_are_placed(text: str) -> None:
    assert body(text)


@pytest.mark.parametrize(
    ("theorem", "why"),
    [
        (TheoremCheck("lean", "", "t", "theorem u : True := by"), "does not begin with theorem t"),
        (TheoremCheck("lean", "", "t", "theorem tt : True := by"), "does not begin with theorem t"),
        (TheoremCheck("lean", "", "t", "axiom t : True := by"), "does not begin with theorem t"),
        (TheoremCheck("lean", "", "t", "theorem t : True :="), "ends in `:= by`"),
        (TheoremCheck("lean", "", "t", "theorem t : True := by trivial theorem u : True := by"), "one theorem"),
        (TheoremCheck("lean", "", "t", "theorem t : (True := by"), r"`\(` is not closed"),
        (TheoremCheck("lean", "/- ", "t", "theorem t : True := by"), "cannot be read"),
    ],
)
def test_a_theorem_without_a_place_for_a_proof_is_refused(theorem: TheoremCheck, why: str) -> None:
    with pytest.raises(UnplaceableError, match=why):
        header_and_statement(theorem)


def test_placing_takes_linear_time() -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        place("  nlinarith [sq_nonneg (x - 1), h₀] -- why\n" * count, THEOREM)
        return time.process_time() - started

    seconds(10)
    assert seconds(10_000) < 60 * max(seconds(1000), 0.005)


def test_real_proofs_that_were_accepted_are_placed_unless_they_trust_compiled_code() -> None:
    if not KIMINA.exists():
        pytest.skip(f"needs {KIMINA.name}, which is not part of the project")
    theorems = {}
    for row in _rows(STATEMENTS):
        found = lean.statement(row["header"], row["formal_statement"])
        theorems[found.name] = TheoremCheck("lean", found.header, found.name, found.text)
        LeanProver().check_theorem(theorems[found.name])
    placed, refused = 0, []
    for row in _rows(KIMINA):
        if row["passed"] == 1:
            # Where an attempt does not state its theorem, the template is the same for every theorem.
            names = [name for name in re.findall(r"theorem (\w+)", row["proof"]) if name in theorems]
            try:
                place(row["proof"], theorems[names[-1]] if names else THEOREM)
                placed += 1
            except UnplaceableError as error:
                refused.append(str(error))
    assert (placed, len(refused)) == (400, 7)
    assert all("native_decide" in each for each in refused), refused


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
