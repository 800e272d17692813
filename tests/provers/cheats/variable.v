(* Outside of a section, a variable is an axiom.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Variable cheat : False.
destruct cheat.
Qed.
