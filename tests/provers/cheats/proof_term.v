(* The proof is a term.
   tier 1: template; tier 2: compiler *)
Theorem target : S O = O.
Proof (match O with O => eq_refl O | S _ => eq_refl O end).
