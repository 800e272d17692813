"""What each command shows: tables for people, JSON for scripts."""
