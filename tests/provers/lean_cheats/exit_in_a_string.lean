-- The same, in an interpolated string. (Needs Init.)
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  trace s!"{(unsafe (unsafeIO (IO.Process.exit 0)) : Unit)}"
