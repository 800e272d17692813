(* A scope changes what the statement means.
   tier 1: prover; tier 2: statement *)
Declare Scope cheat_scope.
Notation "x = y" := (x <> y) : cheat_scope.
Bind Scope cheat_scope with Sortclass.
Open Scope cheat_scope.
Theorem target : S O = O.
Proof.
discriminate.
Qed.
