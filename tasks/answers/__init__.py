"""Answers of mathematics as text: where they are found, how they are spelled, and when two are equal.

To change when two MATH answers are equal: `tasks/graders/math.py` (the paper's rule) and `math_tolerant.py` decide.
They use what is here: `minerva` and `spelling` find and spell answers, `algebra` decides with sympy or math-verify, in
the processes of `isolated`. A change of a rule needs a new `version` of the graders that use it.
"""
