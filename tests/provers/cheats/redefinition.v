(* A name in the statement is defined again.
   tier 1: prover; tier 2: statement *)
Definition S (n : nat) := n.
Theorem target : S O = O.
Proof.
reflexivity.
Qed.
