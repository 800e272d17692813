"""What the paper fixed: its subsets and its choice of few-shot examples."""
