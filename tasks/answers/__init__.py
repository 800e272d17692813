"""Answers of mathematics as text: where they are found, how they are spelled, and when two are equal.

To change when two MATH answers are equal: `minerva` is the paper's rule (grader `math`), `spelling` the tolerant one
(grader `math_tolerant`), `algebra` what sympy and math-verify decide in the processes of `isolated`. A change of a rule
needs a new `version` of the graders that use it.
"""
