"""Answers of mathematics as text: where they are found, how they are normalized, and when two are equal.

To change when two MATH answers are equal: `tasks/graders/math.py` (the paper's rule) and `math_tolerant.py` decide.
`minerva` is the paper's rule as text. The tolerant one finds an answer (`finding`), normalizes it (`plain_math`,
`units`, `normalization`), takes it apart (`structure`), and compares it without algebra where that decides
(`equality_without_algebra`). `symbolic_equality` compares the rest with sympy and math-verify, in the processes of
`isolated`.
A change of a rule needs a new `version` of the graders that use it.
"""
