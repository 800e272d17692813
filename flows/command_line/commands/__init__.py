"""The commands and their options. Each imports its view only when it runs, which keeps `monkeys --help` fast."""
