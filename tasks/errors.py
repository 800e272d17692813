"""The error that a person can mend: one line that says what is wrong, where, and what would be right."""


class InputError(ValueError):
    """Something the user wrote or named cannot be used; the message is one line, meant to be shown as it is."""
