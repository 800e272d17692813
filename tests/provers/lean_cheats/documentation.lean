-- A documentation comment, which begins a declaration.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  skip
/-- cheat -/
axiom cheat : Eq (α := Nat) 1 2
