(* An axiom by a third name.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Conjecture cheat : S O = O.
exact cheat.
Qed.
