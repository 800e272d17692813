"""Pages to look at stored samples: sets, problems, samples, and two of any kind next to each other.

`library` reads the store, `query` finds samples, `pages` renders, and `app` answers requests. Nothing is written, and
only what a page shows is read.
"""
