(* An admitted obligation stands before the statement.
   tier 1: prover; tier 2: axioms *)
Require Import Program.
Program Definition cheat : False := _.
Admit Obligations.
Theorem target : S O = O.
Proof.
destruct cheat.
Qed.
