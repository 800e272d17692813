"""Which commands there are, and their options."""
