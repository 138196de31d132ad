"""Runs the program's Lambda functions on this machine, from the packaged archive."""
