prelude
import Mini

namespace Lean.Parser.Tactic

syntax (name := exact) "exact " term : tactic
syntax (name := apply) "apply " term : tactic
syntax (name := intro) "intro" many(ppSpace colGt term:1024) : tactic
syntax (name := constructor) "constructor" : tactic
syntax (name := assumption) "assumption" : tactic
syntax (name := skip) "skip" : tactic
syntax (name := cases) "cases " term : tactic
syntax (name := contradiction) "contradiction" : tactic
syntax (name := paren) "(" withoutPosition(tacticSeq) ")" : tactic

end Lean.Parser.Tactic

namespace Lean

syntax (name := cdot) "· " withoutPosition(tacticSeq) : tactic

end Lean
