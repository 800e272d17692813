"""The report of a comparison by cost: what is read for it, its figures and tables, and its findings in words."""
