"""An example of a plug-in: a dataset, an engine and a grader. `pyproject.toml` next to this folder names them."""
