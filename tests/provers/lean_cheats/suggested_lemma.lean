-- A search for a lemma, which gives up the goal. (Needs Init.)
-- tier 1: prover; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  apply?
