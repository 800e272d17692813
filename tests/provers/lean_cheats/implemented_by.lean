-- A definition that is compiled as another.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
@[implemented_by target] theorem cheat : Eq (α := Nat) 1 2 := target
