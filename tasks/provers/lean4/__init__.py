"""Lean 4: its source as text, the place of a proof in a statement, and the programs that run it."""
