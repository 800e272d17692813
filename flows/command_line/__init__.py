"""The command `monkeys`: its options (`commands`) and its output (`views`)."""
