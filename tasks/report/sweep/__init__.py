"""The report of a sweep: its figures, page and tables, and where they are stored."""
