"""What happens in which order: Prefect flows, the sweep's configuration, and the command that runs them."""

DEFAULT_STORE = "./runs"
"""Where results lie unless a store is named."""
