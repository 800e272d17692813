(* A conversion is not checked before Qed.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
change_no_check True.
exact I.
Qed.
