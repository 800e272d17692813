"""Models in a process of their own, started, watched and ended here: what dies or hangs is started anew."""
