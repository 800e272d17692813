(* Another statement is proved.
   tier 1: template; tier 2: statement *)
Theorem target : O = O.
Proof.
reflexivity.
Qed.
