(* An axiom stands before the statement.
   tier 1: prover; tier 2: axioms *)
Axiom cheat : False.
Theorem target : S O = O.
Proof.
destruct cheat.
Qed.
