"""What happens in which order: Prefect flows, the sweep's configuration and the command line."""
