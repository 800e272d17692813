/-
A small library for tests of the real Lean where its own library is not installed: logic, natural numbers, and the syntax
of some tactics, whose implementations are part of Lean itself.
-/
prelude
set_option genCtorIdx false
set_option genInjectivity false
set_option genSizeOf false
set_option warn.classDefReducibility false

unsafe axiom lcErased : Type
unsafe axiom lcAny : Type
unsafe axiom lcVoid : Type
unsafe axiom lcProof {α : Prop} : α

inductive Eq {α : Sort u} : α → α → Prop where
  | refl (a : α) : Eq a a

@[reducible] def Eq.ndrec.{u1, u2} {α : Sort u2} {a : α} {motive : α → Sort u1} (m : motive a) {b : α} (h : Eq a b) :
    motive b :=
  Eq.rec (motive := fun x _ => motive x) m h

inductive HEq {α : Sort u} (a : α) : {β : Sort u} → β → Prop where
  | refl : HEq a a

def id {α : Sort u} (a : α) : α := a

@[reducible] def cast {α β : Sort u} (h : Eq α β) (a : α) : β := Eq.rec (motive := fun x _ => x) a h

theorem eq_of_heq {α : Sort u} {a a' : α} (h : HEq a a') : Eq a a' :=
  HEq.rec (motive := fun {β} (b : β) (_ : HEq a b) => (h : Eq α β) → Eq (cast h a) b) (fun (_ : Eq α α) => Eq.refl a) h
    (Eq.refl α)

theorem heq_of_eq {α : Sort u} {a a' : α} (h : Eq a a') : HEq a a' :=
  Eq.rec (motive := fun b _ => HEq a b) HEq.refl h

set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u where
  | unit : PUnit

inductive Nat where
  | zero : Nat
  | succ (n : Nat) : Nat

inductive Nat.le (n : Nat) : Nat → Prop where
  | refl : Nat.le n n
  | step {m : Nat} (h : Nat.le n m) : Nat.le n (Nat.succ m)

inductive Bool where
  | false
  | true

inductive True : Prop where
  | intro : True

inductive False : Prop

inductive And (a b : Prop) : Prop where
  | intro (left : a) (right : b) : And a b

inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b

inductive String where
  | empty

axiom sorryAx (α : Sort u) (synthetic : Bool) : α

axiom propext {a b : Prop} : (a → b) → (b → a) → Eq a b

axiom oracle (p : Prop) : p

axiom Mini.propext (p : Prop) : p

inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α

inductive Option (α : Type u) where
  | none : Option α
  | some (value : α) : Option α

class OfNat (α : Type u) (_ : Nat) where
  ofNat : α

@[instance] def instOfNatNat (n : Nat) : OfNat Nat n := OfNat.mk n

noncomputable def Nat.add (n m : Nat) : Nat := Nat.rec (motive := fun _ => Nat) n (fun _ sum => Nat.succ sum) m

namespace Lean

inductive Name where
  | anonymous : Name
  | str (pre : Name) (str : String)
  | num (pre : Name) (i : Nat)

abbrev Name.mkStr1 (a : String) : Name := Name.str Name.anonymous a
abbrev Name.mkStr2 (a b : String) : Name := Name.str (Name.mkStr1 a) b
abbrev Name.mkStr3 (a b c : String) : Name := Name.str (Name.mkStr2 a b) c
abbrev Name.mkStr4 (a b c d : String) : Name := Name.str (Name.mkStr3 a b c) d

abbrev SyntaxNodeKind := Name

inductive ParserDescr where
  | const (name : Name)
  | unary (name : Name) (p : ParserDescr)
  | binary (name : Name) (p₁ p₂ : ParserDescr)
  | node (kind : SyntaxNodeKind) (prec : Nat) (p : ParserDescr)
  | trailingNode (kind : SyntaxNodeKind) (prec lhsPrec : Nat) (p : ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Name) (rbp : Nat)
  | parser (declName : Name)
  | nodeWithAntiquot (name : String) (kind : SyntaxNodeKind) (p : ParserDescr)
  | sepBy (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : Bool)
  | sepBy1 (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : Bool)
  | unicodeSymbol (val asciiVal : String) (preserveForPP : Bool)

end Lean
