(* Checking the proof at Qed never ends, or takes all memory.
   tier 1: limit; tier 2: limit *)
Theorem target : S O = O.
Proof.
assert (h : Nat.pow 2 30 = Nat.pow 2 30 + 0) by (vm_cast_no_check (eq_refl (Nat.pow 2 30))).
discriminate h.
Qed.
