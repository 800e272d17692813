-- Code that would run when the proof is imported. (Needs Init.)
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  skip
initialize pure ()
