(* The proof is aborted, and another theorem has the same name.
   tier 1: template; tier 2: statement *)
Theorem target : S O = O.
Proof.
Abort.
Theorem target : True.
Proof.
exact I.
Qed.
