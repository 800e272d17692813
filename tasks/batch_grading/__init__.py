"""Samples in one file, graded into another: what `monkeys grade` does, without a terminal.

Apart from one byte for each sample, memory does not grow with their number.
"""
