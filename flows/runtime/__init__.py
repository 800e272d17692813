"""What flows need of Prefect: blocks drawn concurrently, and a temporary server."""
