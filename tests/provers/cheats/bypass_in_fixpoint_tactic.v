(* An unsafe definition stands before the statement, and a command after the proof.
   tier 1: template; tier 2: axioms *)
#[bypass_check(guard)] Fixpoint cheat (n : nat) {struct n} : S O = O := cheat n.
Theorem target : S O = O.
Proof.
exact (cheat 0).
Qed.
Check target.
