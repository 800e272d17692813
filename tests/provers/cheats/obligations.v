(* Obligations are admitted.
   tier 1: template; tier 2: axioms *)
Require Import Program.
Theorem target : S O = O.
Proof.
Set Nested Proofs Allowed.
Program Definition cheat : False := _.
Next Obligation.
Admitted.
destruct cheat.
Qed.
