-- The theorem with a universe that the statement does not have.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target.{u} : Eq (α := Nat) 1 2 := by
  exact (Eq.refl 1 : Eq.{u} 1 2)
