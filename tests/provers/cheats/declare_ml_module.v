(* A plug-in is loaded.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Declare ML Module "extraction_plugin".
reflexivity.
Qed.
