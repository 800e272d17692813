-- A namespace is opened for a tactic.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  open Nat in exact rfl
