(* The proof never ends.
   tier 1: limit; tier 2: limit *)
Theorem target : S O = O.
Proof.
repeat (pose proof I).
Qed.
