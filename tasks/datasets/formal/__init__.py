"""Formal statements: what is read of files in Rocq and in Lean, and which versions of miniF2F are known."""
