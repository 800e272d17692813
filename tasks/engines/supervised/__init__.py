"""Models in a separate process, started, watched and ended here: what dies or hangs is restarted."""
