-- Closes the braces around the proof, and issues a command.
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  {
  skip }
axiom cheat : Eq (α := Nat) 1 2
example : True := by {
    exact cheat
  }
