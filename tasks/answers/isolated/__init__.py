"""Calls that can be killed: algebra on text that a model wrote, in warm processes with limits."""
