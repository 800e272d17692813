"""One page per file: each reads what it shows from a `Library` and renders it."""
