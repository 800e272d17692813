"""Pages to look at stored samples: sets, problems, samples, and two of any kind next to each other.

`library` reads the store, `query` finds samples, `pages` renders, and `app` answers requests. All that is written are
notes on samples, and only what a page shows is read.
"""
