"""What happens in which order: Prefect flows, the sweep's configuration and the command line."""

RUNS = "./runs"
"""Where results lie unless a store is named."""
