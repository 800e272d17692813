"""What each command shows in the terminal, or prints as JSON."""
