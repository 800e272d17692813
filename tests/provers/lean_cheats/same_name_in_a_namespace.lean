-- A theorem of the same name in a namespace.
-- tier 1: template; tier 2: statement
prelude
import MiniTactics

namespace Cheat
theorem target : Eq (α := Nat) 1 1 := by
  exact Eq.refl (α := Nat) 1
end Cheat
