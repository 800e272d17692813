"""LeanDojo's `Dojo` in confined processes: where it is installed, what it is asked, and what its answers say."""
