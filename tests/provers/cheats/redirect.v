(* Output is written to files.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof.
Redirect "MonkeysProof.vo" Check nat.
Redirect "/tmp/cheat" Check nat.
reflexivity.
Qed.
