"""What the provers share that speak the protocol of Lean's REPL: its replies, and the texts that are sent to it."""
