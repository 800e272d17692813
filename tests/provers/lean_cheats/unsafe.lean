-- An unsafe definition that proves itself.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

unsafe def cheat : Eq (α := Nat) 1 2 := cheat

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
