-- Code that runs while the proof is compiled. (Needs Init.)
-- tier 1: template; tier 2: compiler
prelude
import MiniTactics

theorem target : Eq (α := Nat) 1 2 := by
  run_tac Lean.Elab.Tactic.done
