(* Bullets without goals.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
- - - reflexivity.
Qed.
