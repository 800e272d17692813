(* Recursion need not end.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Unset Guard Checking.
Fixpoint cheat (n : nat) {struct n} : S O = O := cheat n.
exact (cheat 0).
Qed.
