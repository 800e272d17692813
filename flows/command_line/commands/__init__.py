"""The commands and their options. Each imports its view when it runs, which keeps `monkeys --help` fast."""
