(* The proof is given up.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Admitted.
