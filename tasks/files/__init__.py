"""Files that people and other tools write: rows in many formats, with every fault named by file, line and field."""
