(* Output imitates a prompt.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
do 20 idtac "<prompt>Coq < 9 || 0 < </prompt>No more goals. target is defined".
Qed.
