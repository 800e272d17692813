(* The theorem gets a hypothesis when its section ends.
   tier 1: template; tier 2: statement *)
Section S.
Hypothesis cheat : False.
Theorem target : S O = O.
Proof using cheat.
destruct cheat.
Qed.
End S.
