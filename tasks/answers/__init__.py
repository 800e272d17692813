"""Answers of mathematics as text: where they are found, how they are spelled, and when two are equal."""
