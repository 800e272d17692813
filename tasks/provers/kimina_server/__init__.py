"""Kimina Lean Servers, which run Lean's REPL for others over HTTP (project-numina/kimina-lean-server)."""
