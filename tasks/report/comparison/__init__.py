"""The report of a comparison: figures, page, tables, and their place in the store."""
