"""How a proof is cut into tactics."""

import pytest

from tasks.provers.dojo.steps import steps
from tasks.provers.lean4.placing import place
from tasks.records import TheoremCheck

THEOREM = TheoremCheck("lean", "", "t", "theorem t (p : Prop) (h : p) : p := by")


def cut(text: str) -> list[str]:
    return [each.removeprefix("(\n").removesuffix("\n)") for each in steps(place(text, THEOREM))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("exact h", ["exact h"]),
        ("simp\nexact h", ["simp", "exact h"]),
        ("simp; ring\nexact h", ["simp; ring", "exact h"]),
        ("have a : p := by\n  exact h\nexact a", ["have a : p := by\n  exact h", "exact a"]),
        ("constructor\n· simp\n  ring\n· exact h", ["constructor", "· simp\n  ring", "· exact h"]),
        ("rcases h with\n| inl a\n| inr b\nexact a", ["rcases h with\n| inl a\n| inr b", "exact a"]),
        ("simp\n<;> ring\nexact h", ["simp\n<;> ring", "exact h"]),
        ("if a : p then\n  simp\nelse\n  ring\nexact h", ["if a : p then\n  simp\nelse\n  ring", "exact h"]),
        ("calc a = b := h\n_ = c := h\nexact h", ["calc a = b := h\n_ = c := h", "exact h"]),
        ("exact (f\nh\n)", ["exact (f\nh\n)"]),
        ("{ simp }\n(ring)\nexact h", ["{ simp }", "(ring)", "exact h"]),
        ("  simp\n\n  -- a comment\n  exact h", ["simp", "exact h"]),
        ("theorem t (p : Prop) (h : p) : p := f\n  h", None),
    ],
)
def test_a_tactic_begins_in_the_first_column_unless_it_continues(text: str, wanted: list[str] | None) -> None:
    if wanted is None:  # A term is one step.
        assert len(cut(text)) == 1
    else:
        assert cut(text) == wanted
