-- A module of the sample's.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics
import Cheat

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat
import Cheat
