-- A definition that never ends.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

partial def cheat : Eq (α := Nat) 1 2 := cheat

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
