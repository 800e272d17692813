(* A comment seems to begin in a string.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
idtac "(*". Axiom cheat : False. idtac "*)".
destruct cheat.
Qed.
