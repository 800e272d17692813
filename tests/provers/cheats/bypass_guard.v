(* An attribute turns a check off.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
#[bypass_check(guard)] Fixpoint cheat (n : nat) {struct n} : S O = O := cheat n.
exact (cheat 0).
Qed.
