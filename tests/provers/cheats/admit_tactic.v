(* A goal is given up.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
admit.
Qed.
