"""The sweep in plain Python: finding, drawing, grading and counting samples."""
