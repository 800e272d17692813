"""Coverage and its law: pure numbers, with no input or output."""
