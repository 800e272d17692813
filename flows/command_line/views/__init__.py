"""The output of each command: tables for people, JSON for scripts."""
