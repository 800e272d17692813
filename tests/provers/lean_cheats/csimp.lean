-- A rule by which compiled code computes something else. (Needs Init.)
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  native_decide
@[csimp] theorem cheat : Eq (α := Nat) 1 2 := target
