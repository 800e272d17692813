"""The steps of a sweep, a package each, in plain Python. Thin Prefect tasks around them are in `tasks.steps`."""
