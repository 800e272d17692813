(* A tactic is defined again.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Ltac reflexivity := admit.
reflexivity.
Qed.
