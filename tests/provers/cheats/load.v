(* A file is run.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Load "/tmp/cheat".
Qed.
