-- An axiom in a namespace, whose last name is that of an allowed one.
-- tier 1: prover; tier 2: axioms
prelude
import MiniTactics

axiom Cheat.propext : Eq (α := Nat) 1 2

theorem target : Eq (α := Nat) 1 2 := by
  exact Cheat.propext
