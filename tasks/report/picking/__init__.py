"""Picking an answer: what `monkeys pick` and the report of a sweep show of it."""
