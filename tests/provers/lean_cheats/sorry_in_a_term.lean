-- A part of a term is left out.
-- tier 1: template; tier 2: axioms
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact id (sorry)
