-- The kernel is told not to check.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  set_option debug.skipKernelTC true in exact Eq.refl (α := Nat) 1
