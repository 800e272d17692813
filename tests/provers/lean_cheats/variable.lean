-- A hypothesis as a variable of the file.
-- tier 1: prover; tier 2: statement
prelude
import MiniTactics

variable (h : Eq (α := Nat) 1 2)
include h

theorem target : Eq (α := Nat) 1 2 := by
  exact h
