-- An axiom before the theorem.
-- tier 1: prover; tier 2: axioms
prelude
import MiniTactics

axiom cheat : Eq (α := Nat) 1 2

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
