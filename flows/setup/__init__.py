"""From a configuration to something that can run: names become objects, and everything is checked before any work."""
