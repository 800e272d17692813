-- An axiom after the proof.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat

axiom cheat : Eq (α := Nat) 1 2
