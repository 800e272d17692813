(* A type contains its own negation.
   tier 1: template; tier 2: axioms *)
Theorem target : S O = O.
Proof.
Unset Positivity Checking.
Inductive T := c : (T -> False) -> T.
assert (no : T -> False) by (intros [h]; exact (h (c h))).
destruct (no (c no)).
Qed.
