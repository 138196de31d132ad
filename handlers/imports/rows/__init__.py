"""Rows of imports: from a record to a command to an outcome."""
