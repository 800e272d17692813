"""Grading patches of a repository: what `tasks.graders.swe_bench` is made of."""
