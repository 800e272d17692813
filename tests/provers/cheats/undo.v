(* The proof is taken back.
   tier 1: template; tier 2: statement *)
Theorem target : S O = O.
Proof.
Abort All.
Definition target := I.
