-- A definition that has the name of what the statement is about.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

namespace Cheat
inductive Eq {α : Type} (a b : α) : Prop where
  | refl : Eq (α := α) a b
end Cheat
open Cheat
theorem target : Cheat.Eq (α := Nat) 1 2 := by
  exact Cheat.Eq.refl
