"""Where results live. The existence of an object is the truth: what is stored is done, what is not is owed."""
