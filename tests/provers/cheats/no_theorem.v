(* Nothing is proved, and the file compiles.
   tier 1: template; tier 2: statement *)
Theorem target : S O = O.
Proof.
Abort.
