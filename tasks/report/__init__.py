"""Reports: figures, tables and self-contained pages of sweeps and comparisons."""
