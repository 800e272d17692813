-- A relation that is called `Eq` in a namespace.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

namespace Cheat
inductive Eq {α : Type} (a b : α) : Prop where
  | refl : Eq (α := α) a b
theorem _root_.target : Eq (α := Nat) 1 2 := by
  exact Eq.refl
end Cheat
