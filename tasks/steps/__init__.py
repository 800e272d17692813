"""The steps of a sweep as Prefect tasks, with names, retries, logs and artifacts."""
