"""The report of one sweep: figures, page, tables, and their place in the store."""
