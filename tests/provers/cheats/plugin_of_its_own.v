(* A plug-in is loaded from a writable folder.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Add ML Path "/tmp".
Declare ML Module "cheat_plugin".
reflexivity.
Qed.
