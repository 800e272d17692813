-- A command reports on another theorem at the end.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem fine : True := True.intro
theorem target : Eq (α := Nat) 1 2 := by
  skip
#print axioms fine
