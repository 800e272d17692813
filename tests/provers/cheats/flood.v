(* The proof prints without end.
   tier 1: limit; tier 2: limit *)
Theorem target : S O = O.
Proof.
do 2000000 idtac "a message of some length".
Qed.
