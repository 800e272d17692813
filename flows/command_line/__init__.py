"""`monkeys`, the command: what it asks for (`*_commands`), and what a person or a script sees (`*_console`)."""
