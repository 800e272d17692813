-- Syntax that stands for a tactic.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

syntax "exact " "done" : tactic

theorem target : Eq (α := Nat) 1 2 := by
  exact done
