-- A macro that changes the statement. (Needs Init.)
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

local macro_rules
  | `(2) => `(1)

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl (α := Nat) 1
