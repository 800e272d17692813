"""The configurations that users write: one pydantic model for YAML file, command line and form in the Prefect UI."""
