(* An attribute turns a check off.
   tier 1: template; tier 2: axioms *)
Require Import Hurkens.
Theorem target : S O = O.
Proof.
#[bypass_check(universes)] Definition cheat : False := TypeNeqSmallType.paradox Type (eq_refl Type).
destruct cheat.
Qed.
