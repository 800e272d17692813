-- Code that writes what it likes to be read as the compiled proof. (Needs Init.)
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  skip
#eval IO.FS.writeFile "MonkeysProof.olean" "x"
