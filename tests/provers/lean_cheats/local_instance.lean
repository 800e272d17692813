-- An instance by which all numerals are equal.
-- tier 1: prover; tier 2: statement
prelude
import MiniTactics

@[instance 10000] def cheat (n : Nat) : OfNat Nat n := OfNat.mk Nat.zero

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl (α := Nat) 1
