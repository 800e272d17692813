-- A theorem of the same name that says something else.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 1 := by
  exact Eq.refl (α := Nat) 1
