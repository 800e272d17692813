(* A lemma inside the proof is admitted.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Set Nested Proofs Allowed.
Lemma cheat : False.
Admitted.
destruct cheat.
Qed.
