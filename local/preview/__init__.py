"""Compares the resources that two revisions of the program declare for a stack."""
