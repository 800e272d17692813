"""What a person writes: one pydantic object for the YAML file, the command line and the form in the Prefect UI."""
