"""Scorers that ask servers over HTTP."""
