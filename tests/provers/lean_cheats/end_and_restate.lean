-- The proof is ended, and the theorem stated again.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  skip
end
theorem target : Eq (α := Nat) 1 2 := sorry
