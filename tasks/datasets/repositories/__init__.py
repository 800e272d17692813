"""What a row of SWE-bench lacks: how its tests are run, and the files that a model is shown."""
