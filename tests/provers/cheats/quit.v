(* The process is asked to end.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Quit.
