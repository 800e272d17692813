(* The proof takes all memory.
   tier 1: limit; tier 2: limit *)
Theorem target : S O = O.
Proof.
let rec f n := f n in f 1.
Qed.
