-- An axiom that is private to its file.
-- tier 1: prover; tier 2: axioms
prelude
import MiniTactics

private axiom cheat : Eq (α := Nat) 1 2

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
