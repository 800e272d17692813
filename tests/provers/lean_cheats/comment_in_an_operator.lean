-- What looks like a comment, and is not one for Lean.
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact (Eq.refl 1 : 1 //- sorry)
-/
)
