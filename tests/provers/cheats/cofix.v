(* A recursive proof does not end.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
assert (cheat : forall n : nat, S O = O) by (fix f 1; intros n; exact (f n)).
exact (cheat 0).
Qed.
