"""The sweep in plain Python: which samples are missing, drawing, grading and counting them."""
