"""The processes of Rocq (`coqidetop`, `coqc` and `coqchk`, as releases before 9.0 call them), confined."""
