"""The steps of a sweep: plain modules, a room each, and thin Prefect tasks at the door (`tasks.steps`)."""
