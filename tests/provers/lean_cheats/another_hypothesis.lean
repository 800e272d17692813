-- The theorem with a hypothesis that proves it.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

theorem target (h : Eq (α := Nat) 1 2) : Eq (α := Nat) 1 2 := by
  exact h
