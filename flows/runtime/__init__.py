"""What flows need of Prefect: blocks drawn concurrently, a temporary server, and doing without one that goes away."""
