"""Programs in one JSONL file, graded into another: what `monkeys grade` does, without a terminal.

Memory does not grow with the number of samples, but for a byte each.
"""
