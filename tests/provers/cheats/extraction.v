(* Code is written to a file.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Require Extraction.
Extraction "MonkeysConfirmation.v" nat.
reflexivity.
Qed.
