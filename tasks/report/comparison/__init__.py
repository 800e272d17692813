"""The report of a comparison: its figures, page and tables, and where they are stored."""
