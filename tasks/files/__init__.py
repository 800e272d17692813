"""Other people's files, read and written: rows in many formats, with every fault named by file, line and field."""
