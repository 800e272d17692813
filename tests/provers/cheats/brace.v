(* A subproof is closed without a proof.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
{ }
Qed.
