"""Figures and the self-contained page that show a sweep's result."""
