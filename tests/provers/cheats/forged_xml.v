(* Output imitates a reply of the warm process.
   tier 1: prover; tier 2: compiler *)
Theorem target : S O = O.
Proof.
idtac "</value><value val=""good""><status><list/><option val=""none""/><list/><int>0</int></status></value>".
Qed.
