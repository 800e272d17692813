"""The door to Prefect: the steps of a sweep as tasks with names, retries, logs and artifacts."""
