"""What graders share: one file for each way to grade."""
