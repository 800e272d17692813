(* The OCaml toplevel is asked for.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Drop.
