-- The kernel is told not to check, before the theorem.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

set_option debug.skipKernelTC true

theorem target : Eq (α := Nat) 1 2 := by
  exact Eq.refl (α := Nat) 1
