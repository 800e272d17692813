(* A goal is left for later.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
eexact ?[cheat].
Qed.
