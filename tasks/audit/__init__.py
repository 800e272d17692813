"""Audits: graders and problems' tests, checked with samples that are known to be correct or wrong."""
