(* A hint adds an axiom.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Axiom cheat : S O = O.
Hint Resolve cheat : core.
auto.
Qed.
