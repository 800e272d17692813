"""Imperfect verifiers against the truth: the figure, the table and the sentences."""
