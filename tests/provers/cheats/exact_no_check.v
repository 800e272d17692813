(* A term is not checked before Qed.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
exact_no_check I.
Qed.
