"""Audits: graders and problems' tests, compared with samples that are known to be correct or wrong."""
