(* Rocq allows commands inside a proof.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Axiom cheat : False.
destruct cheat.
Qed.
