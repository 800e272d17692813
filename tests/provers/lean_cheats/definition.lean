-- A proposition in place of a proof of it.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

def target : Prop := Eq (α := Nat) 1 2
