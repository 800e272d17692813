(* An axiom has the name of an allowed one.
   tier 1: prover; tier 2: axioms *)
Module Classical_Prop.
Axiom classic : False.
End Classical_Prop.
Theorem target : S O = O.
Proof.
destruct Classical_Prop.classic.
Qed.
