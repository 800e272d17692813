(* Another proof is saved under the name.
   tier 1: template; tier 2: statement *)
Goal True.
Proof.
exact I.
Save target.
