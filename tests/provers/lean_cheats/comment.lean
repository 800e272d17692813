-- A comment that does not end hides what follows.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl (α := Nat) 1 /- open
