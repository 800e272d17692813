(* A quote in a comment hides its end.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
(* " *) " *) Axiom cheat : False. (* " *)
(* " *)
destruct cheat.
Qed.
