"""The command `monkeys`: its options (`commands`), and what it shows to people and to scripts (`views`)."""
