"""What flows need from Prefect: concurrent blocks, deployment runs, a temporary server, and working without one."""
