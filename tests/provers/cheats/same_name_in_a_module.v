(* Another theorem has the same name.
   tier 1: template; tier 2: statement *)
Module M.
Theorem target : S O = O.
Proof.
Admitted.
End M.
Theorem target : True.
Proof.
exact I.
Qed.
