"""Files of samples that are larger than memory: read once to know what they hold, and a row at a time afterwards."""
