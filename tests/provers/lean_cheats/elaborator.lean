-- An elaborator that adds a declaration without a check. (Needs Init.)
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  exact cheat%
elab "cheat%" : term => throwError "no"
