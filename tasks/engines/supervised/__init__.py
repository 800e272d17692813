"""Models in a separate process, which is started, watched, restarted if it dies or hangs, and ended."""
