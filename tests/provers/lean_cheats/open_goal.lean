-- A goal is left.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  skip
