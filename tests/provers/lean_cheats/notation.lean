-- A notation that changes the statement. (Needs Init.)
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

inductive One where
  | one

@[instance] def one (n : Nat) : OfNat One n := OfNat.mk One.one

local notation "Nat" => One

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl 1
