-- An axiom that proves any proposition.
-- tier 1: prover; tier 2: axioms
prelude
import MiniTactics

axiom cheat (p : Prop) : p

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat _
