(* A cast is not checked before Qed.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
native_compute.
native_cast_no_check (eq_refl O).
Qed.
