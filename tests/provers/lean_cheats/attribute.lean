-- The same instance, by a command in the proof.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

def cheat (n : Nat) : OfNat Nat n := OfNat.mk Nat.zero

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl (α := Nat) 1
attribute [instance 10000] cheat
