"""What flows need from Prefect: drawing blocks concurrently, runs of deployments, a temporary server, and carrying on without one."""
