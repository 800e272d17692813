(* A recursive proof uses itself.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
fix cheat 1.
exact cheat.
Qed.
