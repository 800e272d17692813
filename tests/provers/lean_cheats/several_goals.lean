-- A case of the proof is left out.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem both (p q : Prop) : p → q → And p q := by
  intro hp hq
  exact And.intro hp hq

theorem target : Eq (α := Nat) 1 2 := by
  apply id
  apply id
