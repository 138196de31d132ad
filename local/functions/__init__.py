"""Runs the Lambda functions of the program on this machine, from the files of the packaged archive."""
